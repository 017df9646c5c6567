import { describe, expect, it } from 'vitest';
import { createLogger, standardOutput } from './logging.ts';

function logged(fields: object): Record<string, unknown> {
  const lines: string[] = [];
  createLogger('test', 'info', { write: (line: string) => void lines.push(line) }).info(fields, 'said');
  return JSON.parse(lines[0] ?? '{}');
}

describe('the log of a process', () => {
  it('tells what an error said and where', () => {
    const { error } = logged({ error: new RangeError('too far') });
    expect(error).toMatchObject({ type: 'RangeError', message: 'too far' });
    expect((error as { stack: string }).stack).toContain('logging.unit.test.ts');
  });

  it('never writes a secret', () => {
    const text = JSON.stringify(
      logged({ token: 's3cret', nats: { password: 's3cret' }, headers: { authorization: 's3cret' } }),
    );
    expect(text).not.toContain('s3cret');
    expect(text).toContain('[secret]');
  });

  it.each([
    ['the credentials of an address', new Error('no answer from nats://gateway:s3cret@10.0.0.1:4222')],
    ['a bearer token', new Error('refused "Authorization: Bearer s3cret" of a client')],
    ['basic credentials', new Error('sent basic czNjcmV0OnMzY3JldA==')],
    ['an error that is a text', 'amqp://user:s3cret@host'],
  ])('reference 10.42: writes no %s that an error tells', (_, error) => {
    const text = JSON.stringify(logged({ error }));
    expect(text).toContain('[secret]');
    expect(text).not.toMatch(/s3cret|czNjcmV0/);
  });

  it('reference 10.42: writes none of the keys of an object store', () => {
    const keys = { accessKeyId: 's3cret', secretAccessKey: 's3cret', sessionToken: 's3cret' };
    const text = JSON.stringify(logged({ ...keys, store: keys }));
    expect(text).not.toContain('s3cret');
  });

  it('can be written to standard output with its limits', () => {
    expect(() => standardOutput()).not.toThrow();
  });
});
