import type { DocumentChangeInput } from '../../schemas/events/ingest.ts';
import { below, createRandom, pick, type Random } from '../random.ts';
import { workers } from '../staffing/workers.ts';

export interface LinesOptions {
  readonly lines: number;
  /** Different documents that the lines speak of. */
  readonly ids: number;
  /** Different texts that they say. */
  readonly texts: number;
  readonly seed: number;
}

const metadataShare = 0.12;
const deletedShare = 0.05;

/**
 * NDJSON lines of a corpus that keeps changing: every document once, then changes of documents at random: a text that
 * others have too, with metadata; metadata alone; deletions. The same options give the same lines.
 */
export function* soakLines({ lines, ids, texts: count, seed }: LinesOptions): Generator<string, void, void> {
  const random = createRandom(seed);
  const texts = soakTexts({ texts: count, seed });
  for (let line = 0; line < lines; line++) {
    const id = `w-${line < ids ? line : below(random, ids)}`;
    yield JSON.stringify(line < ids ? said(id, line, texts, random) : change(id, line, texts, random));
  }
}

function said(id: string, line: number, texts: readonly string[], random: Random): DocumentChangeInput {
  return { id, text: pick(random, texts), metadata: { line, shift: pick(random, ['day', 'night']) } };
}

function change(id: string, line: number, texts: readonly string[], random: Random): DocumentChangeInput {
  const kind = random.unit();
  if (kind < deletedShare) return { id, deleted: true };
  if (kind < deletedShare + metadataShare) return { id, metadata: { line } };
  return said(id, line, texts, random);
}

/** The different texts that the lines say. */
export function soakTexts({ texts: count, seed }: Pick<LinesOptions, 'texts' | 'seed'>): string[] {
  const texts = new Set<string>();
  for (const { text } of workers({ count: count * 2, seed })) {
    if (texts.size === count) break;
    texts.add(text);
  }
  if (texts.size < count) throw new Error(`the staffing corpus has only ${texts.size} different texts`);
  return [...texts];
}
