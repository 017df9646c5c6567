import { describe, expect, it } from 'vitest';
import { createPreparedRequests } from './prepared-requests.ts';

const bytes = (text: string) => Buffer.from(text, 'utf8');

function counted() {
  const read: string[] = [];
  const prepare = createPreparedRequests((body) => {
    const text = Buffer.from(body).toString('utf8');
    read.push(text);
    if (text === 'bad') throw new Error('not a request');
    return { text };
  });
  return { prepare, read };
}

describe('createPreparedRequests', () => {
  it('reads the same bytes once, and others for themselves', () => {
    const { prepare, read } = counted();
    const first = prepare(bytes('{"k":1}'));
    expect(prepare(bytes('{"k":1}'))).toBe(first);
    // A difference in white space, and one beyond ASCII: é against the two characters of its bytes.
    for (const text of ['{"k": 1}', 'é', 'Ã©']) expect(prepare(bytes(text)).read).toEqual({ text });
    expect(read).toEqual(['{"k":1}', '{"k": 1}', 'é', 'Ã©']);
  });

  it('remembers no failure', () => {
    const { prepare, read } = counted();
    for (let round = 0; round < 2; round++) expect(() => prepare(bytes('bad'))).toThrow('not a request');
    expect(read).toEqual(['bad', 'bad']);
  });

  it('keeps neither long bodies nor more than a thousand', () => {
    const { prepare, read } = counted();
    const long = 'x'.repeat(5_000);
    for (let round = 0; round < 2; round++) prepare(bytes(long));
    expect(read).toHaveLength(2);
    for (let n = 0; n < 1_100; n++) prepare(bytes(`${n}`));
    prepare(bytes('1099'));
    expect(read).toHaveLength(1_102);
    prepare(bytes('0'));
    expect(read).toHaveLength(1_103);
  });
});
