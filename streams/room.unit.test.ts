import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRoom } from './room.ts';

/** What a record takes beyond the bytes that the server looks at before it takes it. */
const more = 60;

/** A stream as nats-server 2.9 keeps it: what fits by its own bytes is taken, and then the oldest make room. */
function createStream(bytesMax: number) {
  const records: number[] = [];
  let bytes = 0;
  let thrownAway = 0;
  return {
    fill: () => ({ bytes, bytesMax }),
    thrownAway: () => thrownAway,
    records: () => records.length,
    append: (own: number): boolean => {
      if (bytes + own >= bytesMax) return false;
      records.push(own + more);
      bytes += own + more;
      while (bytes > bytesMax) {
        bytes -= records.shift() ?? 0;
        thrownAway++;
      }
      return true;
    },
  };
}

const later = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('room in a stream', () => {
  it('is never given to what would throw the oldest away, whoever appends at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2_000, max: 60_000 }),
        fc.array(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 60 }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (bytesMax, writers) => {
          const stream = createStream(bytesMax);
          let nowMs = 0;
          const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs++, sleep: () => Promise.resolve() };
          const room = createRoom({
            clock,
            look: async () => {
              const fill = stream.fill();
              await later();
              return fill;
            },
          });
          await Promise.all(
            writers.map(async (sizes) => {
              for (const own of sizes) {
                if (!(await room.take('INGEST', own + more))) continue;
                await later();
                stream.append(own);
                await later();
                room.done('INGEST', own + more);
              }
            }),
          );
          expect(stream.thrownAway()).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is used up but for a reserve', async () => {
    const stream = createStream(1_000_000);
    const clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() };
    const room = createRoom({ clock, look: async () => stream.fill() });
    for (let refused = false; !refused; ) {
      refused = !(await room.take('INGEST', 100 + more));
      if (refused) continue;
      stream.append(100);
      room.done('INGEST', 100 + more);
    }
    expect(stream.fill().bytes).toBeGreaterThan(989_000);
    expect(stream.thrownAway()).toBe(0);
  });

  it('is there again when the limit was raised', async () => {
    let bytesMax = 1_000;
    const clock = { nowMs: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() };
    const room = createRoom({ clock, look: async () => ({ bytes: 900, bytesMax }) });
    expect(await room.take('INGEST', 500)).toBe(false);
    bytesMax = 4_000;
    expect(await room.take('INGEST', 500)).toBe(true);
  });

  it('has no end where there is no limit, and is looked at once then', async () => {
    let looked = 0;
    const clock = { nowMs: () => 0, monotonicMs: () => looked * 1e9, sleep: () => Promise.resolve() };
    const look = async () => {
      looked++;
      return { bytes: 1e12, bytesMax: -1 };
    };
    const room = createRoom({ clock, look });
    for (let turn = 0; turn < 3; turn++) expect(await room.take('INGEST', 1e9)).toBe(true);
    expect(looked).toBe(1);
  });
});
