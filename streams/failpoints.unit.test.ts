import { describe, expect, it } from 'vitest';
import { armed, failpoint, failpoints } from './failpoints.ts';

describe('a failpoint', () => {
  it('kills at the asked place, the asked time, and once', () => {
    const kills: string[] = [];
    const reach = armed('appended:3', () => kills.push('killed'));
    for (const name of ['appended', 'decided', 'appended'] as const) reach(name);
    expect(kills).toEqual([]);
    reach('appended');
    reach('appended');
    expect(kills).toEqual(['killed']);
  });

  it.each(['nowhere', 'appended:0', 'appended:x', ''])('refuses "%s"', (text) => {
    expect(() => armed(text)).toThrow('LAKEHOUSE_FAILPOINT');
  });

  it('does nothing where none is asked for', () => {
    expect(process.env.LAKEHOUSE_FAILPOINT).toBeUndefined();
    for (const name of failpoints) failpoint(name);
  });
});
