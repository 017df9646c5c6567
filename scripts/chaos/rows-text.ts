import type { FaultRow } from './fault-row.ts';

/** Every row in Markdown: what is done, what has to hold, and how its checks are shown to be able to fail. */
export function rowsText(rows: readonly FaultRow[]): string {
  const parts = rows.flatMap(({ fault, title, passes, mutations }) => [
    `## ${fault}: ${title}`,
    '',
    `Passes when: ${passes}.`,
    '',
    ...mutations.map(({ name, breaks }) => `- \`${name}\`: ${breaks}`),
    '',
  ]);
  return [
    '# The rows of the fault campaign',
    '',
    'Each with the mutations that have to turn it red. Written from `rows/all.ts`; a unit test holds the two together',
    '(`npx vitest run --project unit scripts/chaos -u` writes it anew).',
    '',
    ...parts,
  ].join('\n');
}
