import { describe, expect, it } from 'vitest';
import { createOneATurn, createOneAtTurnsEnd } from './one-a-turn.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('work of which each piece has a turn', () => {
  it('does the first at once and one of the others in each turn, in their order', async () => {
    const done: string[] = [];
    const { take, waiting } = createOneATurn(8);
    for (const name of ['one', 'two', 'three']) take(() => done.push(name));
    expect([[...done], waiting()]).toEqual([['one'], 2]);
    await turn();
    expect(done).toEqual(['one', 'two']);
    await turn();
    expect([done, waiting()]).toEqual([['one', 'two', 'three'], 0]);
  });

  it('does what is given in a later turn at once again', async () => {
    const done: string[] = [];
    const { take } = createOneATurn(8);
    take(() => done.push('one'));
    await turn();
    take(() => done.push('two'));
    expect(done).toEqual(['one', 'two']);
  });

  it('lets only so much wait: the oldest makes room', () => {
    const done: number[] = [];
    const { take, waiting } = createOneATurn(2);
    for (let piece = 0; piece < 6; piece++) take(() => done.push(piece));
    expect([done, waiting()]).toEqual([[0, 1, 2, 3], 2]);
  });

  it('goes on behind a piece that gives more', async () => {
    const done: string[] = [];
    const { take } = createOneATurn(8);
    take(() => take(() => done.push('given by the first')));
    expect(done).toEqual([]);
    await turn();
    expect(done).toEqual(['given by the first']);
  });
});

describe('work of which each piece has the end of a turn', () => {
  it('does nothing at once, and one at each end, in their order', async () => {
    const done: string[] = [];
    const { take, waiting } = createOneAtTurnsEnd(8);
    for (const name of ['one', 'two']) take(() => done.push(name));
    expect([[...done], waiting()]).toEqual([[], 2]);
    await turn();
    expect(done).toEqual(['one']);
    await turn();
    expect([done, waiting()]).toEqual([['one', 'two'], 0]);
  });

  it('lets what the turn has still to read come first', async () => {
    const done: string[] = [];
    const { take } = createOneAtTurnsEnd(8);
    take(() => done.push('an answer'));
    await Promise.resolve().then(() => done.push('what is read'));
    await turn();
    expect(done).toEqual(['what is read', 'an answer']);
  });

  it('lets only so much wait: the oldest makes room', () => {
    const done: number[] = [];
    const { take, waiting } = createOneAtTurnsEnd(2);
    for (let piece = 0; piece < 5; piece++) take(() => done.push(piece));
    expect([done, waiting()]).toEqual([[0, 1, 2], 2]);
  });

  it('goes on behind a piece that gives more', async () => {
    const done: string[] = [];
    const { take } = createOneAtTurnsEnd(8);
    take(() => take(() => done.push('given by the first')));
    await turn();
    expect(done).toEqual([]);
    await turn();
    expect(done).toEqual(['given by the first']);
  });
});
