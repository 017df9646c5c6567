/**
 * Cuts texts where the model would: servers are told to truncate, and some releases fail instead.
 *
 * The vocabulary is the server's, so tokens are estimated from characters, on the high side for written language:
 * - a run of ASCII letters: one token for every three letters or part of them (English has about four to a token);
 * - any other ASCII character but white space: one token;
 * - white space: none;
 * - any other character: its UTF-8 bytes less one, which is 1 for accented Latin, Greek and Cyrillic letters, 2 for
 *   Chinese, Japanese and Korean ones, 3 for emoji.
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

function tokensIn(piece: string): number {
  const codePoint = piece.codePointAt(0) ?? 0;
  if (codePoint < 0x800) return 1;
  return codePoint < 0x10000 ? 2 : 3;
}
