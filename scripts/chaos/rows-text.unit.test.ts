import { expect, it } from 'vitest';
import { faultIds } from './fault-row.ts';
import { allRows } from './rows/all.ts';
import { rowsText } from './rows-text.ts';

it('ROWS.md has every row with its mutations (write it anew with "npx vitest run --project unit scripts/chaos -u")', async () => {
  await expect(rowsText(allRows)).toMatchFileSnapshot('./ROWS.md');
});

it('each fault has one row at most, in the order of the table, and each row a mutation of a name of its own', () => {
  const places = allRows.map(({ fault }) => faultIds.indexOf(fault));
  expect(places).toEqual([...new Set(places)].sort((one, other) => one - other));
  for (const { fault, mutations } of allRows) {
    expect(mutations.length, fault).toBeGreaterThan(0);
    expect(new Set(mutations.map(({ name }) => name)).size, fault).toBe(mutations.length);
  }
});
