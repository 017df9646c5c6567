import { describe, expect, it } from 'vitest';
import { isSameProcess, parseProcStat, processStartTime } from './process-identity.ts';

describe('processStartTime', () => {
  it('is the same at every call for a process that runs', () => {
    const startTime = processStartTime(process.pid);
    expect(startTime).toBeTypeOf('string');
    expect(processStartTime(process.pid)).toBe(startTime);
    expect(isSameProcess({ pid: process.pid, startTime: String(startTime) })).toBe(true);
  });

  it('reference 10.54: tells another process with the same id apart', () => {
    expect(isSameProcess({ pid: process.pid, startTime: 'before' })).toBe(false);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31 - 1])('knows no process %d', (pid) => {
    expect(processStartTime(pid)).toBeUndefined();
  });
});

describe('parseProcStat', () => {
  it('reads on behind a name with brackets and spaces', () => {
    const line = '4711 (a) b (c) S 1 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200';
    expect(parseProcStat(line)).toEqual({ state: 'S', startTicks: '987654' });
  });

  it('finds nothing in what is no such line', () => {
    expect(parseProcStat('')).toBeUndefined();
    expect(parseProcStat('4711 (node) S 1')).toBeUndefined();
  });
});
