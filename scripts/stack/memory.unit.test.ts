import { describe, expect, it } from 'vitest';
import { serverMemory } from './memory.ts';

describe('the memory of nats-server', () => {
  it.each([
    [1, '256MiB'],
    [2, '256MiB'],
    [8, '1024MiB'],
  ])('has room that grows with the processors: %i of them', (processors, limit) => {
    expect(serverMemory({}, processors)).toEqual({ GOGC: '1000', GOMEMLIMIT: limit });
  });

  it('is what whoever starts it says, where that is said', () => {
    expect(serverMemory({ GOGC: '50' }, 2)).toEqual({ GOGC: '50', GOMEMLIMIT: '256MiB' });
    expect(serverMemory({ GOMEMLIMIT: '2GiB', GOGC: '' }, 2)).toEqual({ GOGC: '1000', GOMEMLIMIT: '2GiB' });
  });
});
