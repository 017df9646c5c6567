import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatServerVersion, isAtLeast, parseServerVersion } from './version.ts';

const versions = fc.record({
  major: fc.nat({ max: 99 }),
  minor: fc.nat({ max: 999 }),
  patch: fc.nat({ max: 9999 }),
});

describe('parseServerVersion', () => {
  it.each([
    ['nats-server: v2.9.10\n', { major: 2, minor: 9, patch: 10 }],
    ['nats-server: v2.15.1', { major: 2, minor: 15, patch: 1 }],
    ['nats-server: v2.12.0-RC.3', { major: 2, minor: 12, patch: 0 }],
    ['2.10.27', { major: 2, minor: 10, patch: 27 }],
  ])('reads %j', (text, version) => {
    expect(parseServerVersion(text)).toEqual(version);
  });

  it.each(['', 'nats-server', 'v2.9', '1.2.3.4', 'command not found'])('finds no version in %j', (text) => {
    expect(parseServerVersion(text)).toBeUndefined();
  });

  it('reads what it writes', () => {
    fc.assert(
      fc.property(versions, (version) => {
        expect(parseServerVersion(`nats-server: v${formatServerVersion(version)}`)).toEqual(version);
      }),
    );
  });
});

describe('isAtLeast', () => {
  it('orders as the numbers do, most significant first', () => {
    const asNumber = (v: { major: number; minor: number; patch: number }) => v.major * 1e8 + v.minor * 1e4 + v.patch;
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(isAtLeast(a, b)).toBe(asNumber(a) >= asNumber(b));
      }),
    );
  });
});
