import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPosition, parsePosition } from '../schemas/position.ts';
import { ProblemError } from '../schemas/problems.ts';
import { createPositionKeeper } from './positions.ts';

describe('createPositionKeeper', () => {
  it('asks for nothing while nothing was answered', () => {
    expect(createPositionKeeper().attach(undefined)).toBe('');
  });

  it('asks for the newest answered and the client’s own together', () => {
    const positions = createPositionKeeper();
    positions.note('PLAYBOOKS=12,VECTORS=40');
    positions.note('PLAYBOOKS=9,VECTORS=41');
    expect(positions.attach(undefined)).toBe('PLAYBOOKS=12,VECTORS=41');
    expect(positions.attach('PLAYBOOKS=20,VECTORS=3')).toBe('PLAYBOOKS=20,VECTORS=41');
    expect(positions.attach(undefined)).toBe('PLAYBOOKS=12,VECTORS=41');
  });

  it('keeps no stream but those that searches depend on, and nothing malformed', () => {
    const positions = createPositionKeeper();
    positions.note('OTHER=7,VECTORS=2');
    positions.note('VECTORS=many');
    expect(positions.attach(undefined)).toBe('VECTORS=2');
  });

  it('refuses a malformed position of a client', () => {
    expect(() => createPositionKeeper().attach('VECTORS:1')).toThrow(ProblemError);
  });

  it('never asks for less than it has answered', () => {
    const noted = fc.record({ PLAYBOOKS: fc.nat(), VECTORS: fc.nat() });
    fc.assert(
      fc.property(fc.array(noted), fc.option(noted), (answers, wanted) => {
        const positions = createPositionKeeper();
        for (const answer of answers) positions.note(formatPosition(answer));
        const attached = parsePosition(positions.attach(wanted === null ? undefined : formatPosition(wanted)));
        for (const stream of ['PLAYBOOKS', 'VECTORS'] as const) {
          const latest = Math.max(-1, ...[...answers, ...(wanted === null ? [] : [wanted])].map((one) => one[stream]));
          expect(attached?.[stream]).toBe(latest < 0 ? undefined : latest);
        }
      }),
    );
  });
});
