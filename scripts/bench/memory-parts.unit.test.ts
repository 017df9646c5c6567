import { describe, expect, it } from 'vitest';
import { graphBytesEstimate, memoryBarBytes, parseResident, rawFloatBytes, readResident } from './memory-parts.ts';

describe('resident memory', () => {
  it('is read in bytes', () => {
    const status =
      'Name:\tnode\nVmHWM:\t   2048 kB\nVmRSS:\t   1024 kB\nRssAnon:\t 700 kB\nRssFile:\t 300 kB\nRssShmem:\t 24 kB\n';
    expect(parseResident(status)).toEqual({ rss: 2 ** 20, peak: 2 ** 21, anonymous: 700 * 1024, file: 324 * 1024 });
  });

  it('of this process is what Node.js says, roughly', async () => {
    const { rss, peak, anonymous, file } = await readResident(process.pid);
    expect(Math.abs(rss - process.memoryUsage.rss()) / rss).toBeLessThan(0.2);
    expect(peak).toBeGreaterThanOrEqual(rss);
    expect(anonymous + file).toBe(rss);
  });
});

describe('the bar', () => {
  it('of 100,000 documents is 2.2 times their floats and 300 MB', () => {
    expect(rawFloatBytes(100_000)).toBe(153_600_000);
    expect(memoryBarBytes(100_000)).toBeCloseTo(637_920_000, 0);
  });

  it('leaves room for one copy of the vectors and the graph', () => {
    expect(graphBytesEstimate(100_000, 16)).toBeGreaterThan(rawFloatBytes(100_000));
    expect(graphBytesEstimate(100_000, 16)).toBeLessThan(memoryBarBytes(100_000));
  });
});
