import { expect, test } from 'vitest';
import { playbookId } from './playbook-id.ts';

const query = 'Need 3 Forklift Operators in Aurora IL for Parallel Machining';

test('the published pair gives the published id', () => {
  expect(playbookId(query, 'w-43', 'workers')).toBe('pb-1126c52bd106df6b');
});

test.each([
  ['query', playbookId(`${query} `, 'w-43', 'workers')],
  ['letter case', playbookId(query.toLowerCase(), 'w-43', 'workers')],
  ['answer', playbookId(query, 'w-44', 'workers')],
  ['corpus', playbookId(query, 'w-43', 'ethereal_workers')],
])('another %s gives another id of the same form', (_name, id) => {
  expect(id).toMatch(/^pb-[0-9a-f]{16}$/);
  expect(id).not.toBe('pb-1126c52bd106df6b');
});

test('text beyond ASCII is hashed as UTF-8', () => {
  expect(playbookId('Schweißer gesucht', 'w-1', 'workers')).toBe('pb-f9ac41dbc64a8bc3');
});
