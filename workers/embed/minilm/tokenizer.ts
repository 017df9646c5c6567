import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { miniLmLimits } from './limits.ts';

const { textTokensMax } = miniLmLimits;

/** The tokens of one text, [CLS] and [SEP] included; `truncated` where the text had more than `textTokensMax`. */
export interface TokenizedText {
  readonly tokens: readonly number[];
  readonly truncated: boolean;
}

export type Tokenize = (text: string) => TokenizedText;

/** A text is read in pieces of this length, doubled until there are enough tokens: a long one costs no more than a page. */
const firstPieceCharacters = 4096;

/**
 * WordPiece as tokenizer.json tells it, cut to `textTokensMax` tokens. The padding and the truncation to 128
 * tokens that the file also asks for are training settings and are left out.
 */
export function createTokenize(tokenizerJson: string): Tokenize {
  const {
    padding: _padding,
    truncation: _truncation,
    ...definition
  } = z.looseObject({}).parse(JSON.parse(tokenizerJson));
  const tokenizer = new Tokenizer(definition, {});
  return (text) => {
    for (let characters = firstPieceCharacters; ; characters *= 2) {
      const piece = beginning(text, characters);
      const { ids } = tokenizer.encode(piece);
      if (piece.length < text.length && ids.length <= textTokensMax) continue;
      return { tokens: cut(ids), truncated: ids.length > textTokensMax };
    }
  };
}

/** The first characters of the text, ending where a word ends: a word cut in two would become other tokens. */
function beginning(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const piece = text.slice(0, characters);
  const lastSpace = piece.search(/\s\S*$/);
  return lastSpace > 0 ? piece.slice(0, lastSpace) : piece;
}

/** Keeps the last token, [SEP], at the end. */
function cut(ids: readonly number[]): readonly number[] {
  if (ids.length <= textTokensMax) return ids;
  return [...ids.slice(0, textTokensMax - 1), ...ids.slice(-1)];
}
