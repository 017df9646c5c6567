import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTurns } from './turns.ts';

describe('turns', () => {
  it('are taken in order for one key, whatever ends when, and at once for different ones', async () => {
    const work = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), ticks: fc.nat(5), fails: fc.boolean() }));
    await fc.assert(
      fc.asyncProperty(work, async (given) => {
        const turns = createTurns();
        const busy = new Map<string, number>();
        const done: number[] = [];
        const results = given.map(({ key, ticks, fails }, at) =>
          turns.take(key, async () => {
            busy.set(key, (busy.get(key) ?? 0) + 1);
            expect(busy.get(key)).toBe(1);
            for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
            busy.set(key, 0);
            done.push(at);
            if (fails) throw new Error(`work ${at}`);
            return at;
          }),
        );
        const settled = await Promise.allSettled(results);
        for (const [at, { fails }] of given.entries())
          expect(settled[at]).toMatchObject(fails ? { status: 'rejected' } : { status: 'fulfilled', value: at });
        for (const key of ['a', 'b', 'c']) {
          const order = done.filter((at) => given[at]?.key === key);
          expect(order).toEqual([...order].sort((one, other) => one - other));
        }
      }),
    );
  });
});
