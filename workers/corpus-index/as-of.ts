import type { CorpusState } from '../../schemas/events/corpus.ts';
import type { VectorData } from '../../schemas/events/document.ts';
import { corpusAsOf } from '../documents/corpus-state.ts';

/** How what is folded is read as of the past. */
export interface Reading {
  readonly vector: (data: VectorData) => VectorData | undefined;
  readonly corpus: (state: CorpusState) => CorpusState | undefined;
}

/** Reads everything as it would have been if nothing after INGEST sequence `version` had been said. */
export function readingAsOf(version: number): Reading {
  return { vector: (data) => asOfVersion(data, version), corpus: (state) => corpusAsOf(state, version) };
}

/**
 * A vector event as it would have been if nothing after INGEST sequence `version` had been said: registers that spoke
 * later fall silent. Undefined where nothing is left.
 */
export function asOfVersion(data: VectorData, version: number): VectorData | undefined {
  const silent = { version: 0, value: null };
  const content = data.content.version <= version ? data.content : silent;
  const metadata = data.metadata.version <= version ? data.metadata : silent;
  if (content.version === 0 && metadata.version === 0) return undefined;
  return { ...data, content, metadata };
}
