import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gatherBytes } from './gathered-bytes.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is reachable of the heap. */
function liveBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe('gatherBytes', () => {
  it('gives back what was added, whatever its pieces, and begins anew', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 60 }), { maxLength: 3 }),
        (bodies) => {
          const gathered = gatherBytes();
          for (const pieces of bodies) {
            for (const piece of pieces) gathered.add(Buffer.from(piece));
            const whole = Buffer.concat(pieces);
            expect(gathered.length()).toBe(whole.length);
            expect(gathered.take().equals(whole)).toBe(true);
          }
          expect([gathered.length(), gathered.take().length]).toEqual([0, 0]);
        },
      ),
    );
  });

  it('holds about its bytes, not an object for each piece', () => {
    const gathered = gatherBytes();
    const crumb = Buffer.from('x');
    const pieces = 200_000;
    const before = liveBytes();
    for (let piece = 0; piece < pieces; piece++) gathered.add(crumb.subarray(0, 1));
    // Kept by themselves they take 100 bytes each.
    expect(liveBytes() - before).toBeLessThan(10 * pieces);
    expect(gathered.take()).toHaveLength(pieces);
  });

  it('does not copy a lone piece', () => {
    const gathered = gatherBytes();
    const piece = Buffer.from('as it came');
    gathered.add(piece);
    expect(gathered.take()).toBe(piece);
  });
});
