import { stemmer } from 'stemmer';

/** A word is cut here: what is longer is no word, but a key or noise, and must not fill the index. */
const tokenCharactersMax = 64;
/** Stems remembered. When so many are, they are forgotten and found again. */
const stemsMax = 50_000;

/** Letters and digits, with what joins them inside a name or a number: `OSHA-30`, `A/C`, `9001:2015`, `O'Brien`; `C++`. */
const chunk = /[\p{L}\p{N}\p{M}]+(?:[-_/.:+&'’][\p{L}\p{N}\p{M}]+)*(?:\+\+|#)?/gu;
const joiners = /[-_/.:+&'’]+/;
const suffix = /(?:\+\+|#)$/;
const digit = /\p{N}/u;
const beyondAscii = /[^\0-\x7f]/;
const accents = /[\u0300-\u036f]/g;
const englishWord = /^[a-z]{3,}$/;

const stems = new Map<string, string>();

/**
 * The tokens of a text, in order, repetitions included, for documents and queries alike.
 *
 * - Lower case; compatibility forms and accents folded (`José` is `jose`).
 * - English words are stemmed (M. F. Porter, 1980): `operators` and `operator` are `oper`.
 * - A compound gives its parts. One that holds a digit or a single letter (`OSHA-30`, `T-shirt`) gives the whole without
 *   its joiners too, so that `OSHA-30`, `OSHA 30` and `OSHA30` find each other; so does one that ends in `++` or `#`.
 */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  for (const [found] of foldCase(text).matchAll(chunk)) addTokens(found, tokens);
  return tokens;
}

function foldCase(text: string): string {
  if (!beyondAscii.test(text)) return text.toLowerCase();
  return text.normalize('NFKD').replace(accents, '').normalize('NFC').toLowerCase();
}

function addTokens(found: string, tokens: string[]): void {
  const bare = found.replace(suffix, '');
  if (bare !== found) tokens.push(cut(found));
  if (!joiners.test(bare)) {
    tokens.push(stemOf(bare));
    return;
  }
  const parts = bare.split(joiners);
  // The `s` of a possessive says nothing.
  if (parts.at(-1) === 's' && /['’]s$/.test(bare)) parts.pop();
  for (const part of parts) tokens.push(stemOf(part));
  if (parts.length > 1 && parts.some((part) => part.length === 1 || digit.test(part))) tokens.push(cut(parts.join('')));
}

function stemOf(word: string): string {
  if (!englishWord.test(word)) return cut(word);
  const known = stems.get(word);
  if (known !== undefined) return known;
  if (stems.size >= stemsMax) stems.clear();
  const stem = cut(stemmer(word));
  stems.set(word, stem);
  return stem;
}

function cut(token: string): string {
  return token.length > tokenCharactersMax ? token.slice(0, tokenCharactersMax) : token;
}
