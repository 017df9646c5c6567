import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchRequestsMax, fullAt, type Gathered, isFull, isWorthWaiting, lowered, mayLeave } from './gathering.ts';

const gathered = (values: Partial<Gathered>): Gathered => ({ queued: 1, held: 0, open: 1, peak: 1, ...values });

describe('what may leave', () => {
  it('is anything while nothing is on its way, and nothing where nothing waits', () => {
    expect(mayLeave(gathered({ peak: 50 }))).toBe(true);
    expect(mayLeave(gathered({ queued: 0, open: 0 }))).toBe(false);
  });

  it('is half of those that were under way, while another message is on its way', () => {
    const ten = { held: 1, open: 10, peak: 10 };
    expect(mayLeave(gathered({ ...ten, queued: 4 }))).toBe(false);
    expect(mayLeave(gathered({ ...ten, queued: 5 }))).toBe(true);
  });

  it('is a full message at most, however many are under way, and only so many messages', () => {
    const many = { open: 500, peak: 500, queued: batchRequestsMax };
    expect(mayLeave(gathered({ ...many, held: 3, queued: batchRequestsMax - 1 }))).toBe(false);
    expect(mayLeave(gathered({ ...many, held: 3 }))).toBe(true);
    expect(mayLeave(gathered({ ...many, held: 4, queued: 400 }))).toBe(false);
  });
});

describe('a message', () => {
  it('takes half of those that were under way, one at least, and never more than its limit', () => {
    expect([1, 2, 3, 10, 31, 32, 500].map((peak) => fullAt({ peak }))).toEqual([1, 1, 2, 5, 16, 16, batchRequestsMax]);
  });
});

describe('a full message', () => {
  it('need not wait for the end of the turn: who asks alone, or half of those that were under way', () => {
    expect(isFull(gathered({}))).toBe(true);
    expect(isFull(gathered({ queued: 4, open: 10, peak: 10 }))).toBe(false);
    expect(isFull(gathered({ queued: 5, held: 1, open: 10, peak: 10 }))).toBe(true);
  });

  it('is held back like any other while as many as may be are on their way', () => {
    expect(isFull(gathered({ queued: 16, held: 4, open: 50, peak: 50 }))).toBe(false);
  });

  it('may always leave', () => {
    const counts = fc.record({ queued: fc.nat(600), held: fc.nat(5), open: fc.nat(600), peak: fc.nat(600) });
    fc.assert(
      fc.property(counts, (given) => {
        expect(isFull(given) && !mayLeave(given)).toBe(false);
      }),
    );
  });
});

describe('waiting for more', () => {
  it('is not worth it for who asks alone, nor where all that were under way are here', () => {
    expect(isWorthWaiting(gathered({}))).toBe(false);
    expect(isWorthWaiting(gathered({ queued: 3, open: 10, peak: 10 }))).toBe(false);
  });

  it('is worth it while others were answered lately and have not come back', () => {
    expect(isWorthWaiting(gathered({ queued: 3, open: 6, peak: 10 }))).toBe(true);
    expect(isWorthWaiting(gathered({ queued: 5, open: 6, peak: 10 }))).toBe(false);
    // The answer to what is on its way lets it leave.
    expect(isWorthWaiting(gathered({ queued: 3, held: 1, open: 6, peak: 10 }))).toBe(false);
  });

  it('in vain ends soon', () => {
    let peak = 50;
    let waits = 0;
    for (; isWorthWaiting(gathered({ peak })); waits++) peak = lowered(gathered({ peak }));
    expect([peak, waits]).toEqual([2, 48]);
  });
});
