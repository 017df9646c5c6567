import { expect, it } from 'vitest';
import { createLexicalIndex } from '../../workers/lexical/lexical-index.ts';
import { workers } from './workers.ts';

it('five thousand workers asked for by their words: forklift operators with the certificate come first', () => {
  const index = createLexicalIndex();
  const documents = new Map([...workers({ count: 5_000 })].map((document) => [document.id, document]));
  let version = 0;
  for (const { id, text } of documents.values()) index.apply({ id, version: ++version, text });
  const best = index.score('Forklift operator with OSHA-30 certification, warehouse experience').best(10);
  const found = best.map(({ id }) => documents.get(id)?.metadata);
  expect(found.map((metadata) => metadata?.role)).toEqual(Array(10).fill('Forklift Operator'));
  for (const metadata of found) expect(metadata?.certifications).toContain('OSHA-30');
  // As many as the original had among its five thousand, and did not find.
  const operators = [...documents.values()].filter(({ metadata }) => metadata.role === 'Forklift Operator');
  expect(operators).toHaveLength(569);
});
