import { describe, expect, it } from 'vitest';
import { readConfiguration } from './configuration.ts';
import { minilmSpace, modelsBeside } from './embedder-models.ts';

describe('models beside the configured one', () => {
  it('are of Ollama, but for the embedded one by its name', () => {
    const configured = { model: 'mine', dimension: 4, prefixScheme: 'none' } as const;
    expect(modelsBeside(configured, ['all-minilm-l6-v2', 'nomic-embed-text', 'other:latest@64'])).toEqual([
      { kind: 'minilm', space: minilmSpace },
      { kind: 'ollama', space: { model: 'nomic-embed-text', dimension: 768, prefixScheme: 'nomic' } },
      { kind: 'ollama', space: { model: 'other:latest', dimension: 64, prefixScheme: 'none' } },
    ]);
  });

  it('leave out the configured one and repetitions', () => {
    const { embedder } = readConfiguration({
      LAKEHOUSE_EMBED_MODELS: 'all-minilm-l6-v2, nomic-embed-text,nomic-embed-text',
    });
    expect(embedder.beside.map(({ space }) => space.model)).toEqual(['nomic-embed-text']);
  });

  it.each([
    ['a b', 'is not a model'],
    ['mine', 'the dimension of "mine" is not known here'],
    ['mine@9999', 'is not a model'],
    ['all-minilm-l6-v2@64', 'has 384 dimensions'],
    ['mine@4,mine@8', 'is offered already'],
    [Array.from({ length: 9 }, (_, place) => `m${place}@4`).join(','), '9 models are too many'],
  ])('tells what is wrong with %j', (models, told) => {
    expect(() => readConfiguration({ LAKEHOUSE_EMBED_MODELS: models })).toThrow(told);
  });
});
