import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { withinDeadline } from './deadline.ts';

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('a deadline', () => {
  it('aborts work that is not over', async () => {
    const late = withinDeadline(1, async (signal) => {
      await once(signal, 'abort');
      signal.throwIfAborted();
    });
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('is let go with the work, however that ends', async () => {
    const before = timers();
    expect(await withinDeadline(3_600_000, async () => 7)).toBe(7);
    const failing = withinDeadline(3_600_000, async () => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(timers()).toBe(before);
  });
});
