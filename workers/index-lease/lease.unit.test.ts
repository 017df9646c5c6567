import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IndexLeaseData } from '../../schemas/events/index-lease.ts';
import { evolveLease, type Holder, heldSentence } from './lease.ts';

const leaseMs = 100;
const word = (run_id: string, state: IndexLeaseData['state'] = 'claimed'): IndexLeaseData => {
  return { corpus: 'workers', state, run_id, task: 'rebuild', holder: `pid ${run_id}`, lease_ms: leaseMs };
};

function holders(...words: readonly (readonly [storedAtMs: number, word: IndexLeaseData])[]): (string | undefined)[] {
  let holder: Holder | undefined;
  return words.map(([storedAtMs, said]) => {
    holder = evolveLease(holder, said, storedAtMs);
    return holder?.run_id;
  });
}

describe('the lease of a corpus', () => {
  it('belongs to the first, until it is released', () => {
    expect(holders([0, word('a')], [50, word('b')], [60, word('a', 'released')], [70, word('b')])).toEqual([
      'a',
      'a',
      undefined,
      'b',
    ]);
  });

  it('ends so long behind the last claim, and lasts for as long as it is claimed again', () => {
    expect(holders([0, word('a')], [101, word('b')])).toEqual(['a', 'b']);
    expect(holders([0, word('a')], [90, word('a')], [180, word('b')], [191, word('b')])).toEqual(['a', 'a', 'a', 'b']);
  });

  it('is lost to who was away for too long: neither a claim nor a release takes it back', () => {
    expect(holders([0, word('a')], [101, word('b')], [102, word('a')], [103, word('a', 'released')])).toEqual([
      'a',
      'b',
      'b',
      'b',
    ]);
  });

  it('never passes from one to another while it lasts', () => {
    const words = fc.array(
      fc.record({
        run: fc.constantFrom('a', 'b', 'c'),
        state: fc.constantFrom('claimed' as const, 'released' as const),
        afterMs: fc.nat(150),
      }),
    );
    fc.assert(
      fc.property(words, (said) => {
        let atMs = 0;
        let before: Holder | undefined;
        for (const { run, state, afterMs } of said) {
          atMs += afterMs;
          const after = evolveLease(before, word(run, state), atMs);
          if (before !== undefined && after?.run_id !== before.run_id)
            expect(atMs > before.untilMs || (run === before.run_id && state === 'released')).toBe(true);
          if (after !== undefined) expect(after.untilMs).toBeLessThanOrEqual(atMs + leaseMs);
          before = after;
        }
      }),
    );
  });

  it('tells who holds it, since when, and until when', () => {
    const holder = evolveLease(undefined, word('a'), Date.UTC(2026, 10, 21));
    expect(heldSentence('workers', holder as Holder)).toMatch(
      /^"workers" is being rebuilt by pid a since 2026-11-21T00:00:00.000Z,.*ends at 2026-11-21T00:00:00.100Z$/,
    );
  });
});
