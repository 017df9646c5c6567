import { expect, it } from 'vitest';
import { faultIds } from './fault-row.ts';
import { allRows } from './rows/all.ts';
import { rowsText } from './rows-text.ts';

it('ROWS.md has every row with its mutations (write it anew with "npx vitest run --project unit scripts/chaos -u")', async () => {
  await expect(rowsText(allRows)).toMatchFileSnapshot('./ROWS.md');
});

it('each fault has its row, in the order of the table, and each row a mutation of a name of its own', () => {
  expect(allRows.map(({ fault }) => fault)).toEqual(faultIds);
  for (const { fault, mutations } of allRows) {
    expect(mutations.length, fault).toBeGreaterThan(0);
    expect(new Set(mutations.map(({ name }) => name)).size, fault).toBe(mutations.length);
  }
});
