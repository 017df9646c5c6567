import { describe, expect, it } from 'vitest';
import { createReplyNumbers } from './reply-numbers.ts';

const named = (name: string) => (number: number) => ({ name, number });

describe('numbers of reply subjects', () => {
  it('are used again at once when all was answered, so that they stay few', () => {
    const replies = createReplyNumbers<{ name: string; number: number }>();
    const [a, b] = [replies.open(named('a')), replies.open(named('b'))];
    expect([a.number, b.number]).toEqual([0, 1]);
    replies.close(a.number);
    expect(replies.get(a.number)).toBeUndefined();
    expect(replies.open(named('c'))).toEqual({ name: 'c', number: 0 });
    expect(replies.get(0)?.name).toBe('c');
    expect(replies.waiting().map(({ name }) => name)).toEqual(['c', 'b']);
    expect(replies.size()).toBe(2);
  });

  it('rest for a minute when an answer may still come, which is nobody else’s then', () => {
    const replies = createReplyNumbers<{ name: string; number: number }>();
    replies.giveUp(replies.open(named('late')).number, 1_000);
    replies.release(60_999);
    expect(replies.open(named('next')).number).toBe(1);
    expect(replies.get(0)).toBeUndefined();
    replies.release(61_000);
    expect(replies.open(named('after')).number).toBe(0);
  });

  it('are free once, however often they are said to be', () => {
    const replies = createReplyNumbers<{ name: string; number: number }>();
    const { number } = replies.open(named('a'));
    replies.close(number);
    replies.close(number);
    replies.giveUp(number, 0);
    expect(replies.size()).toBe(0);
    expect([replies.open(named('b')).number, replies.open(named('c')).number]).toEqual([0, 1]);
  });
});
