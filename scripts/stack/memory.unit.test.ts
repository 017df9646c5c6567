import { describe, expect, it } from 'vitest';
import { serverMemory } from './memory.ts';

const machine = (processors: number, memoryMiB: number) => ({ processors, memoryBytes: memoryMiB * 1024 * 1024 });
const usual = machine(2, 8_192);

describe('the memory of nats-server', () => {
  it.each([
    ['one processor', machine(1, 8_192), '256MiB'],
    ['two processors', usual, '256MiB'],
    ['eight processors', machine(8, 16_384), '1024MiB'],
    ['many processors in a small container', machine(16, 512), '128MiB'],
  ])('has room that grows with the processors, as far as memory goes: %s', (_, on, limit) => {
    expect(serverMemory({}, on)).toEqual({ GOGC: '1000', GOMEMLIMIT: limit });
  });

  it('is what whoever starts it says, where that is said', () => {
    expect(serverMemory({ GOGC: '50' }, usual)).toEqual({ GOGC: '50', GOMEMLIMIT: '256MiB' });
    expect(serverMemory({ GOMEMLIMIT: '2GiB', GOGC: '' }, usual)).toEqual({ GOGC: '1000', GOMEMLIMIT: '2GiB' });
  });

  it('is told of the machine that it runs on', () => {
    expect(serverMemory({}).GOMEMLIMIT).toMatch(/^[1-9]\d*MiB$/);
  });
});
