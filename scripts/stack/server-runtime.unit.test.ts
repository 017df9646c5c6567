import { describe, expect, it } from 'vitest';
import { serverRuntime } from './server-runtime.ts';

const machine = (processors: number, memoryMiB: number) => ({ processors, memoryBytes: memoryMiB * 1024 * 1024 });
const usual = machine(2, 8_192);

describe("nats-server's runtime", () => {
  it.each([
    ['one processor', machine(1, 8_192), '256MiB'],
    ['two processors', usual, '256MiB'],
    ['eight processors', machine(8, 16_384), '1024MiB'],
    ['many processors in a small container', machine(16, 512), '128MiB'],
  ])('has room that grows with the processors, as far as memory goes: %s', (_, on, limit) => {
    expect(serverRuntime({}, on)).toMatchObject({ GOGC: '1000', GOMEMLIMIT: limit });
  });

  it.each([
    [1, '1'],
    [2, '1'],
    [3, '2'],
    [16, '8'],
  ])('works on half of the processors, one at least: of %s', (processors, used) => {
    expect(serverRuntime({}, machine(processors, 8_192)).GOMAXPROCS).toBe(used);
  });

  it('is what whoever starts it says, where that is said', () => {
    const own = { GOGC: '1000', GOMEMLIMIT: '256MiB', GOMAXPROCS: '1' };
    expect(serverRuntime({ GOGC: '50' }, usual)).toEqual({ ...own, GOGC: '50' });
    expect(serverRuntime({ GOMEMLIMIT: '2GiB', GOGC: '' }, usual)).toEqual({ ...own, GOMEMLIMIT: '2GiB' });
    expect(serverRuntime({ GOMAXPROCS: '2' }, usual)).toEqual({ ...own, GOMAXPROCS: '2' });
  });

  it('is told of the machine that it runs on', () => {
    const { GOMEMLIMIT, GOMAXPROCS } = serverRuntime({});
    expect(GOMEMLIMIT).toMatch(/^[1-9]\d*MiB$/);
    expect(GOMAXPROCS).toMatch(/^[1-9]\d*$/);
  });
});
