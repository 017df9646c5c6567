import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../schemas/configuration.ts';
import { assertBindAllowed } from './bind.ts';

describe('reference 10.55: assertBindAllowed', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost'])('lets %s listen without a token', (host) => {
    expect(() => assertBindAllowed(host, undefined)).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.1.2.3', '127.0.0.1.example.org', 'example.org', ''])(
    'refuses %s without a token, and says what to do',
    (host) => {
      expect(() => assertBindAllowed(host, undefined)).toThrow(ConfigurationError);
      expect(() => assertBindAllowed(host, undefined)).toThrow(/LAKEHOUSE_TOKEN/);
    },
  );

  it('lets any host listen with a token', () => {
    expect(() => assertBindAllowed('0.0.0.0', 'secret')).not.toThrow();
  });
});
