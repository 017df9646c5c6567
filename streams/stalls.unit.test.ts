import { describe, expect, it } from 'vitest';
import { look, type Seen } from './stalls.ts';

const stallMs = 100;

/** Looks at what was seen, in order; the moments at which it was to be taken up again. */
function stalledAt(...looks: readonly (readonly [atMs: number, seen: Seen | undefined])[]): number[] {
  let watched: Parameters<typeof look>[0];
  const stalled: number[] = [];
  for (const [atMs, seen] of looks) {
    const found = look(watched, seen, atMs, stallMs);
    watched = found.watched;
    if (found.stalled) stalled.push(atMs);
  }
  return stalled;
}

const waits = (mark: string): Seen => ({ waiting: 3, mark });

describe('a consumer that is looked at', () => {
  it('has stalled where it has work and does not move for as long, and again after as long', () => {
    expect(
      stalledAt([0, waits('a')], [50, waits('a')], [100, waits('a')], [150, waits('a')], [200, waits('a')]),
    ).toEqual([100, 200]);
  });

  it('has not while it moves, has nothing to do, or can not be seen', () => {
    expect(stalledAt([0, waits('a')], [90, waits('b')], [180, waits('c')])).toEqual([]);
    expect(stalledAt([0, { waiting: 0, mark: 'a' }], [200, { waiting: 0, mark: 'a' }])).toEqual([]);
    expect(stalledAt([0, waits('a')], [90, undefined], [120, waits('a')], [200, waits('a')])).toEqual([]);
    expect(stalledAt([0, waits('a')], [90, undefined], [120, waits('a')], [220, waits('a')])).toEqual([220]);
  });

  it('has only begun to wait when the work came', () => {
    const idle = { waiting: 0, mark: 'a' };
    expect(stalledAt([0, idle], [500, idle], [550, waits('a')], [599, waits('a')])).toEqual([]);
    expect(stalledAt([0, idle], [500, idle], [550, waits('a')], [600, waits('a')])).toEqual([600]);
  });

  it('counts its restarts from where it moved last', () => {
    const first = look(look(undefined, waits('a'), 0, stallMs).watched, waits('a'), 100, stallMs);
    const second = look(first.watched, waits('a'), 200, stallMs);
    expect(second.watched).toMatchObject({ restarts: 2, movedMs: 0 });
    expect(look(second.watched, waits('b'), 210, stallMs).watched).toMatchObject({ restarts: 0, movedMs: 210 });
  });
});
