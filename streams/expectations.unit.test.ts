import { describe, expect, it } from 'vitest';
import { createExpectations } from './expectations.ts';

describe('what is expected of the next', () => {
  it('is that it is there, until three in a row were new, and again as soon as one was there', () => {
    const expectations = createExpectations<'document' | 'corpus'>();
    const told = (finds: readonly boolean[]) =>
      finds.map((there) => {
        expectations.found('document', there);
        return expectations.isNew('document');
      });
    expect(expectations.isNew('document')).toBe(false);
    expect(told([false, false, false, false])).toEqual([false, false, true, true]);
    expect(told([true, false, false, false])).toEqual([false, false, false, true]);
    expect(expectations.isNew('corpus')).toBe(false);
  });
});
