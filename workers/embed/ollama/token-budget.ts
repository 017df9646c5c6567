/**
 * Cuts texts where the model would: servers are told to truncate, and some releases fail instead.
 *
 * The vocabulary is the server's, so tokens are estimated from characters, on the high side for written language:
 * - a run of ASCII letters: one token for every three letters or part of them (English has about four to a token);
 * - any other ASCII character but white space: one token;
 * - white space: none;
 * - any other character: 2, but 1 for the alphabets from Greek and Cyrillic to Arabic, and 3 beyond U+FFFF (emoji).
 *   An accented Latin letter counts 2 because it breaks the word around it up where the vocabulary is English.
 * Strings of random letters have more tokens than this says (up to twice as many); for those the server's own
 * truncation is the second net.
 */
const pattern = /[A-Za-z]{1,3}|[^\sA-Za-z]/gu;

/** [CLS] and [SEP], or whatever a model puts around a text. */
const specialTokens = 2;

export interface CutText {
  readonly text: string;
  readonly truncated: boolean;
}

/** The longest beginning of the text whose estimate, with special tokens, is at most `tokensMax`. */
export function cutToTokens(text: string, tokensMax: number): CutText {
  let rest = tokensMax - specialTokens;
  for (const match of text.matchAll(pattern)) {
    rest -= tokensIn(match[0]);
    if (rest < 0) return { text: text.slice(0, match.index).trimEnd(), truncated: true };
  }
  return { text, truncated: false };
}

/** The estimate for a text, special tokens included. */
export function estimateTokens(text: string): number {
  let tokens = specialTokens;
  for (const match of text.matchAll(pattern)) tokens += tokensIn(match[0]);
  return tokens;
}

/** First code point after the Latin letters with marks, after the two-byte alphabets and after the basic plane. */
const ends = { ascii: 0x80, latin: 0x250, alphabets: 0x800, basicPlane: 0x10000 } as const;

function tokensIn(piece: string): number {
  const codePoint = piece.codePointAt(0) ?? 0;
  if (codePoint < ends.ascii) return 1;
  if (codePoint < ends.latin) return 2;
  if (codePoint < ends.alphabets) return 1;
  return codePoint < ends.basicPlane ? 2 : 3;
}
