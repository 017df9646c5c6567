import { describe, expect, it } from 'vitest';
import { createProgress, formatDuration, formatProgress } from './progress.ts';

function setup(options: { isTTY?: boolean; columns?: number; total?: number }) {
  const written: string[] = [];
  const clock = { ms: 5000 };
  const stream = {
    isTTY: options.isTTY,
    columns: options.columns,
    write: (text: string) => written.push(text),
  };
  const total = options.total === undefined ? {} : { total: options.total };
  const progress = createProgress({ label: 'embedding', stream, now: () => clock.ms, ...total });
  return { written, clock, progress };
}

describe('formatDuration', () => {
  it('fits the unit to the length', () => {
    const cases: readonly (readonly [number, string])[] = [
      [0, '0.0 s'],
      [440, '0.4 s'],
      [9949, '9.9 s'],
      [9960, '10 s'],
      [59_400, '59 s'],
      [59_600, '1 min 0 s'],
      [200_000, '3 min 20 s'],
      [3_599_400, '59 min 59 s'],
      [3_599_600, '1 h 0 min'],
      [7_500_000, '2 h 5 min'],
    ];
    for (const [milliseconds, text] of cases) expect(formatDuration(milliseconds)).toBe(text);
  });
});

describe('formatProgress', () => {
  it('shows count, share, rate and the time left', () => {
    expect(formatProgress('embedding', 1250, 5000, 10_000)).toBe('embedding: 1,250 of 5,000 (25 %), 125/s, 30 s left');
  });

  it('claims no time left before the first and after the last', () => {
    expect(formatProgress('embedding', 0, 5, 1000)).toBe('embedding: 0 of 5 (0 %), 0/s');
    expect(formatProgress('embedding', 5, 5, 1000)).toBe('embedding: 5 of 5 (100 %), 5/s');
    expect(formatProgress('embedding', 0, 0, 0)).toBe('embedding: 0 of 0 (100 %), 0/s');
  });

  it('does without a total', () => {
    expect(formatProgress('reading', 1234, undefined, 500_000)).toBe('reading: 1,234, 2.5/s');
  });
});

describe('createProgress on a terminal', () => {
  it('draws one line over and ends it', () => {
    const { written, clock, progress } = setup({ isTTY: true, total: 100 });
    progress.update(1);
    clock.ms += 100;
    progress.update(10);
    clock.ms += 50;
    progress.update(15);
    clock.ms += 850;
    progress.update(50);
    clock.ms += 1000;
    progress.update(100);
    progress.finish();
    expect(written).toEqual([
      '\r\u001b[Kembedding: 10 of 100 (10 %), 100/s, 0.9 s left',
      '\r\u001b[Kembedding: 50 of 100 (50 %), 50/s, 1.0 s left',
      '\r\u001b[Kembedding: 100 in 2.0 s, 50/s\n',
    ]);
  });

  it('never fills the last column', () => {
    const { written, clock, progress } = setup({ isTTY: true, total: 1000, columns: 20 });
    clock.ms += 500;
    progress.update(10);
    expect(written).toEqual(['\r\u001b[Kembedding: 10 of 1,']);
  });
});

describe('createProgress elsewhere', () => {
  it('writes a line for each tenth, without control characters', () => {
    const { written, clock, progress } = setup({ total: 1000 });
    for (let done = 1; done <= 1000; done++) {
      clock.ms += 1;
      progress.update(done);
    }
    progress.finish();
    expect(written).toHaveLength(10);
    expect(written[0]).toBe('embedding: 100 of 1,000 (10 %), 1,000/s, 0.9 s left\n');
    expect(written[9]).toBe('embedding: 1,000 in 1.0 s, 1,000/s\n');
    expect(written.join('')).not.toContain('\u001b');
  });

  it('writes a line every ten seconds where tenths are rare', () => {
    const { written, clock, progress } = setup({ total: 1_000_000 });
    for (let second = 1; second <= 30; second++) {
      clock.ms += 1000;
      progress.update(second);
    }
    expect(written).toHaveLength(3);
  });

  it('writes one line for a leap over several tenths', () => {
    const { written, clock, progress } = setup({ total: 100 });
    clock.ms += 1000;
    progress.update(75);
    progress.update(79);
    expect(written).toEqual(['embedding: 75 of 100 (75 %), 75/s, 0.3 s left\n']);
  });

  it('goes by time alone without a total', () => {
    const { written, clock, progress } = setup({});
    progress.update(5000);
    clock.ms += 10_000;
    progress.update(6000);
    progress.finish();
    expect(written).toEqual(['embedding: 6,000, 600/s\n', 'embedding: 6,000 in 10 s, 600/s\n']);
  });

  it('tells what was left undone, once', () => {
    const { written, clock, progress } = setup({ total: 100 });
    clock.ms += 2000;
    progress.finish(3);
    progress.finish(4);
    progress.update(50);
    expect(written).toEqual(['embedding: 3 of 100 in 2.0 s, 1.5/s\n']);
  });
});
