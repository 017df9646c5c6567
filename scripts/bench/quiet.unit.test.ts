import { describe, expect, it } from 'vitest';
import { parseProcessorMs, processorMs } from './quiet.ts';

describe('processor time', () => {
  it('is the sum of user and system time, whatever the process is called', () => {
    const stat = '41 (a) b ) S 1 41 41 0 -1 4194304 100 0 0 0 250 75 0 0 20 0 11 0 900 1 2';
    expect(parseProcessorMs(stat)).toBe(3_250);
  });

  it('is read of this process', async () => {
    expect(await processorMs(process.pid)).toBeGreaterThan(0);
  });
});
