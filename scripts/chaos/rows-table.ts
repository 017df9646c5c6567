import type { FaultRow } from './fault-row.ts';

const cell = (text: string) => text.replaceAll('|', '\\|');

/** Every row as a table in Markdown: what is done, what has to hold, and how its checks are shown to be able to fail. */
export function rowsTable(rows: readonly FaultRow[]): string {
  const lines = rows.map(({ fault, title, passes, mutations }) => {
    const broken = mutations.map(({ name, breaks }) => `\`${name}\`: ${breaks}`).join('<br>');
    return `| ${[fault, title, passes, broken].map(cell).join(' | ')} |`;
  });
  return [
    '# The rows of the fault campaign',
    '',
    'Written from `rows/all.ts`; a unit test holds the two together (`npx vitest run --project unit scripts/chaos -u` writes it anew).',
    '',
    '| fault | what is done | passes when | mutations, each of which has to turn it red |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}
