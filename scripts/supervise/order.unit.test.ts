import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startOrder } from './order.ts';

describe('startOrder', () => {
  it('puts each behind what it depends on and keeps the given order otherwise', () => {
    const order = startOrder([
      { name: 'gateway', dependsOn: ['index'] },
      { name: 'ingest', dependsOn: ['nats'] },
      { name: 'index', dependsOn: ['nats', 'embed'] },
      { name: 'embed', dependsOn: ['nats'] },
      { name: 'nats', dependsOn: [] },
    ]);
    expect(order.map(({ name }) => name)).toEqual(['nats', 'embed', 'index', 'gateway', 'ingest']);
  });

  it('orders any list without cycles', () => {
    const graphs = fc.integer({ min: 1, max: 12 }).chain((size) =>
      fc.tuple(
        fc.shuffledSubarray(
          Array.from({ length: size }, (_, i) => i),
          { minLength: size },
        ),
        fc.array(fc.array(fc.nat({ max: size - 1 })), { minLength: size, maxLength: size }),
      ),
    );
    fc.assert(
      fc.property(graphs, ([listed, edges]) => {
        // Each depends on lower numbers only, so there is no cycle, however they are listed.
        const specs = listed.map((i) => ({
          name: `p${i}`,
          dependsOn: [...new Set(edges[i] ?? [])].filter((j) => j < i).map((j) => `p${j}`),
        }));
        const names = startOrder(specs).map(({ name }) => name);
        expect([...names].sort()).toEqual(specs.map(({ name }) => name).sort());
        for (const { name, dependsOn } of specs) {
          for (const dependency of dependsOn) expect(names.indexOf(dependency)).toBeLessThan(names.indexOf(name));
        }
      }),
    );
  });

  it.each([
    [
      'the same name',
      [
        { name: 'a', dependsOn: [] },
        { name: 'a', dependsOn: [] },
      ],
    ],
    ['not supervised', [{ name: 'a', dependsOn: ['b'] }]],
    [
      'a -> b -> a',
      [
        { name: 'a', dependsOn: ['b'] },
        { name: 'b', dependsOn: ['a'] },
      ],
    ],
  ])('refuses: %s', (words, specs) => {
    expect(() => startOrder(specs)).toThrow(words);
  });
});
