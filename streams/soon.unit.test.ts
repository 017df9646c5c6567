import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSoon } from './soon.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('is done once for all who asked in time, and again for whoever asks later', () => {
  const work = vi.fn();
  const soon = createSoon(20, work);
  soon.ask();
  vi.advanceTimersByTime(19);
  soon.ask();
  expect(work).toHaveBeenCalledTimes(0);
  vi.advanceTimersByTime(1);
  expect(work).toHaveBeenCalledTimes(1);
  soon.ask();
  vi.advanceTimersByTime(20);
  expect(work).toHaveBeenCalledTimes(2);
});

it('keeps no timer while nobody asks, nor once it was cancelled', () => {
  const work = vi.fn();
  const soon = createSoon(20, work);
  expect(vi.getTimerCount()).toBe(0);
  soon.ask();
  expect(vi.getTimerCount()).toBe(1);
  soon.cancel();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(100);
  expect(work).not.toHaveBeenCalled();
});

it('may be asked for by the work itself', () => {
  let left = 3;
  const soon = createSoon(20, () => {
    if (--left > 0) soon.ask();
  });
  soon.ask();
  vi.advanceTimersByTime(60);
  expect([left, vi.getTimerCount()]).toEqual([0, 0]);
});
