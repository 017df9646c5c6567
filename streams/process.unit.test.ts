import { describe, expect, it } from 'vitest';
import { createLogger } from './process.ts';

function logged(fields: object): Record<string, unknown> {
  const lines: string[] = [];
  createLogger('test', 'info', { write: (line: string) => void lines.push(line) }).info(fields, 'said');
  return JSON.parse(lines[0] ?? '{}');
}

describe('the log of a process', () => {
  it('tells what an error said and where', () => {
    const { error } = logged({ error: new RangeError('too far') });
    expect(error).toMatchObject({ type: 'RangeError', message: 'too far' });
    expect((error as { stack: string }).stack).toContain('process.unit.test.ts');
  });

  it('never writes a secret', () => {
    const text = JSON.stringify(
      logged({ token: 's3cret', nats: { password: 's3cret' }, headers: { authorization: 's3cret' } }),
    );
    expect(text).not.toContain('s3cret');
    expect(text).toContain('[secret]');
  });
});
