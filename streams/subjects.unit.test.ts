import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, fromNanos, nanos } from './durations.ts';
import { createFoldProgress } from './progress.ts';
import { encodeToken, subjectOf } from './subjects.ts';

describe('a subject token', () => {
  it('is safe and tells different texts apart, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (one, other) => {
          expect(encodeToken(one)).toMatch(/^[A-Za-z0-9_~-]{1,128}$/);
          if (Buffer.from(one).equals(Buffer.from(other))) return;
          expect(encodeToken(one)).not.toBe(encodeToken(other));
        },
      ),
    );
  });

  it('hashes what would be long', () => {
    expect(encodeToken('x'.repeat(97))).toMatch(/^~[0-9a-f]{64}$/);
    expect(encodeToken('x'.repeat(96))).toHaveLength(128);
  });

  it('makes the subject of an event, with raw text never in it', () => {
    expect(subjectOf('lakehouse.document', { corpus: 'workers', key: 'a.b *>' })).toBe('documents.workers.YS5iICo-');
    expect(() => subjectOf('lakehouse.ingest', { corpus: 'a.b' })).toThrow(RangeError);
  });
});

describe('durations', () => {
  it('meet JetStream in one place', () => {
    expect(nanos(1_000)).toBe(1e9);
    expect(fromNanos(nanos(30_000))).toBe(30_000);
  });

  it('back off by doubling, to a limit', () => {
    expect([1, 2, 3, 10, 1_000].map((attempt) => backoffMs(attempt, 100, 5_000))).toEqual([
      100, 200, 400, 5_000, 5_000,
    ]);
  });
});

describe('the progress of a fold', () => {
  it('wakes who waited for as much, and not who waits for more', async () => {
    const progress = createFoldProgress(3);
    const woken: number[] = [];
    const never = new AbortController();
    const wait = (sequence: number) => progress.waitFor(sequence, never.signal).then(() => woken.push(sequence));
    const waits = [wait(3), wait(5), wait(9)];
    progress.advance(6);
    await Promise.all(waits.slice(0, 2));
    expect(woken).toEqual([3, 5]);
    never.abort();
    await waits[2];
    expect(progress.sequence()).toBe(6);
  });

  it('answers no once the signal aborts', async () => {
    const progress = createFoldProgress(0);
    const stop = new AbortController();
    const waiting = progress.waitFor(1, stop.signal);
    stop.abort();
    expect(await waiting).toBe(false);
    expect(await progress.waitFor(1, stop.signal)).toBe(false);
  });
});
