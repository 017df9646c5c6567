import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileRoleGate, normaliseRole, rolesAgree } from './role.ts';

test.each([
  ['Forklift Operators', 'forklift operator'],
  ['  forklift \t  OPERATOR ', 'forklift operator'],
  ['CNC Operator', 'cnc operator'],
  ['Boss', 'bos'],
  ['Grade S', 'grade'],
  ['s', 's'],
  ['', ''],
  [' \n ', ''],
])('%j is compared as %j', (role, normalised) => {
  expect(normaliseRole(role)).toBe(normalised);
});

test.each([
  ['Forklift Operator', 'Forklift Operators', true],
  ['forklift operators', 'FORKLIFT OPERATOR', true],
  ['Forklift Operator', 'CNC Operator', false],
  ['Operator', 'Forklift Operator', false],
  ['', 'CNC Operator', true],
  [undefined, 'CNC Operator', true],
  [null, 'CNC Operator', true],
  ['Forklift Operator', '', true],
  ['Forklift Operator', '   ', true],
  ['s', 'CNC Operator', false],
])('recorded %j, asked %j: agree is %j', (entryRole, queryRole, agree) => {
  expect(rolesAgree(entryRole, queryRole)).toBe(agree);
  expect(compileRoleGate(queryRole)(entryRole)).toBe(agree);
});

test('property: agreement is symmetric, and every role agrees with itself and its plural', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (left, right) => {
      expect(rolesAgree(left, right)).toBe(rolesAgree(right, left));
      expect(rolesAgree(left, left)).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{1,9} [a-z]{0,8}[a-rt-z]$/), (role) => {
      expect(rolesAgree(role, `${role.toUpperCase()}S`)).toBe(true);
    }),
  );
});
