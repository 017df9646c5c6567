import { describe, expect, it } from 'vitest';
import { checkTexts, EmbedderError, effectiveModel, prefixFor, untilAborted } from './embedder.ts';

describe('checkTexts', () => {
  it('lets texts pass', () => {
    expect(() => checkTexts(['forklift', ' a '])).not.toThrow();
  });

  it.each([
    [[], undefined],
    [[''], 0],
    [['a', ' \n\t'], 1],
  ])('refuses %j', (texts, textIndex) => {
    let thrown: unknown;
    try {
      checkTexts(texts);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(EmbedderError);
    expect(thrown).toMatchObject({ reason: 'text_refused', textIndex });
  });
});

describe('prefixFor', () => {
  it('marks the kinds apart in the nomic scheme and leaves texts alone in none', () => {
    expect(prefixFor('nomic', 'query')).toBe('search_query: ');
    expect(prefixFor('nomic', 'document')).toBe('search_document: ');
    expect(prefixFor('none', 'query') + prefixFor('none', 'document')).toBe('');
  });
});

describe('effectiveModel', () => {
  it('is the model of the space where none is named', () => {
    const space = { model: 'm', dimension: 2, prefixScheme: 'none' } as const;
    expect([undefined, '', 'm', 'other'].map((name) => effectiveModel(name, space))).toEqual(['m', 'm', 'm', 'other']);
  });
});

describe('untilAborted', () => {
  it('gives what the work gives', async () => {
    await expect(untilAborted(Promise.resolve(7), new AbortController().signal)).resolves.toBe(7);
    const failure = new Error('work failed');
    await expect(untilAborted(Promise.reject(failure), new AbortController().signal)).rejects.toBe(failure);
  });

  it('does not wait for work once the signal aborts, nor where it has', async () => {
    const never = new Promise<never>(() => {});
    const controller = new AbortController();
    const result = untilAborted(never, controller.signal);
    controller.abort();
    await expect(result).rejects.toMatchObject({ reason: 'deadline' });
    await expect(untilAborted(never, controller.signal)).rejects.toMatchObject({ reason: 'deadline' });
  });
});
