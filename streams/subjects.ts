import { createHash } from 'node:crypto';
import { catalog, type EventName, type SubjectTokens } from '../schemas/catalog.ts';

/** Longest text, in base64url characters, that becomes a token as it is; a longer one is hashed. */
const encodedCharactersMax = 128;
const plainToken = /^[A-Za-z0-9_-]{1,64}$/;

/** Tokens whose vocabulary is ours and already safe; every other one is encoded. */
const plainTokens: ReadonlySet<string> = new Set(['corpus', 'source', 'stem', 'stream', 'worker', 'sequence']);

/**
 * Makes a subject token of any text: base64url of its UTF-8, or `~` and the sha256 in hex where that would be longer than
 * 128 characters. `~` is not in base64url's alphabet, so the two never meet.
 */
export function encodeToken(text: string): string {
  const encoded = Buffer.from(text, 'utf8').toString('base64url');
  if (encoded.length > 0 && encoded.length <= encodedCharactersMax) return encoded;
  return `~${createHash('sha256').update(text, 'utf8').digest('hex')}`;
}

/**
 * The subject of an event.
 * @throws RangeError where a plain token (a corpus, a source) is not subject-safe: schemas check it before
 */
export function subjectOf<Name extends EventName>(name: Name, tokens: SubjectTokens<Name>): string {
  const values: Readonly<Record<string, string>> = tokens;
  return catalog[name].subject.replace(/<([a-z]+)>/g, (_, token: string) => {
    const value = values[token] ?? '';
    if (!plainTokens.has(token)) return encodeToken(value);
    if (!plainToken.test(value)) throw new RangeError(`"${value}" can not be the ${token} of a subject`);
    return value;
  });
}

/** The token at a place of a subject: `tokenAt('ingest.workers', 1)` is `workers`. */
export function tokenAt(subject: string, place: number): string {
  return subject.split('.')[place] ?? '';
}
