import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rank } from './rank.ts';
import { resultJson } from './reply.ts';

test('a ranked result shows id, distance, corpus and metadata, and nothing of how it came about', () => {
  const { results } = rank({
    perCorpus: [
      { corpus: 'workers', hits: [{ id: 'w-43', corpus: 'workers', distance: 0.5, metadataJson: '{"n":1.0}' }] },
    ],
    playbookHits: [],
    k: 10,
    excludeIds: new Set(),
    queryRole: '',
    usePlaybook: false,
    lookup: () => undefined,
  });
  expect(results.map(resultJson)).toEqual(['{"id":"w-43","distance":0.5,"corpus":"workers","metadata":{"n":1.0}}']);
});

test('a result without metadata has no such key', () => {
  const text = resultJson({ id: 'w-1', corpus: 'workers', distance: 0, metadataJson: null });
  expect(text).toBe('{"id":"w-1","distance":0,"corpus":"workers"}');
});

test('a result of which only the beginning was embedded says so', () => {
  const text = resultJson({ id: 'w-1', corpus: 'workers', distance: 0, metadataJson: '{}', truncated: true });
  expect(JSON.parse(text)).toEqual({ id: 'w-1', distance: 0, corpus: 'workers', truncated: true, metadata: {} });
});

test('property: it is JSON with exactly these values, whatever the id and the metadata', () => {
  const distance = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), distance, fc.json(), (id, value, metadataJson) => {
      const parsed: unknown = JSON.parse(resultJson({ id, corpus: 'c', distance: value, metadataJson }));
      expect(parsed).toEqual({ id, distance: value, corpus: 'c', metadata: JSON.parse(metadataJson) });
    }),
  );
});
