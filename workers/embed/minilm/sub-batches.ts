import type { TokenBatch } from './engine.ts';
import type { TokenizedText } from './tokenizer.ts';

/** A batch with, for each of its texts, the place of that text in the request. */
export interface SubBatch extends TokenBatch {
  readonly textIndices: readonly number[];
}

/**
 * Parts texts into batches of like length, so that little of what is computed is padding. The longest text of a batch
 * times the number of its texts is at most `tokensMax`, except where a single text is longer.
 */
export function toSubBatches(texts: readonly TokenizedText[], tokensMax: number): SubBatch[] {
  const byLength = texts
    .map((text, textIndex) => ({ tokens: text.tokens, textIndex }))
    .sort((a, b) => a.tokens.length - b.tokens.length);
  const groups: (typeof byLength)[] = [];
  for (const text of byLength) {
    const group = groups.at(-1);
    if (group !== undefined && (group.length + 1) * text.tokens.length <= tokensMax) group.push(text);
    else groups.push([text]);
  }
  return groups.map((group) => ({
    tokens: Int32Array.from(group.flatMap((text) => text.tokens)),
    lengths: group.map((text) => text.tokens.length),
    textIndices: group.map((text) => text.textIndex),
  }));
}
