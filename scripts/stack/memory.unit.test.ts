import { describe, expect, it } from 'vitest';
import { serverMemory } from './memory.ts';

describe('the memory of nats-server', () => {
  it.each([
    [1, '320MiB'],
    [2, '320MiB'],
    [8, '1280MiB'],
  ])('has room that grows with the processors: %i of them', (processors, limit) => {
    expect(serverMemory({}, processors)).toEqual({ GOGC: '300', GOMEMLIMIT: limit });
  });

  it('is what whoever starts it says, where that is said', () => {
    expect(serverMemory({ GOGC: '50' }, 2)).toEqual({ GOGC: '50', GOMEMLIMIT: '320MiB' });
    expect(serverMemory({ GOMEMLIMIT: '2GiB', GOGC: '' }, 2)).toEqual({ GOGC: '300', GOMEMLIMIT: '2GiB' });
  });
});
