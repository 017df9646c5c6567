import type { RelevanceChunk, RelevanceFocus, RelevanceSignal, ScoredChunk } from '../../schemas/requests/relevance.ts';
import { extractSymbols, lastSegment } from './symbols.ts';

/** What each signal adds to a score. */
export const relevanceWeights = {
  path: 1,
  filename: 0.6,
  defined: 0.6,
  tokens: 0.4,
  prefix: 0.3,
  imported_only: -0.5,
} as const satisfies Record<RelevanceSignal, number>;

/** Articles and the keywords of Rust and TypeScript: they tell nothing of what a text is about. */
const stopwords = new Set(
  (
    'a an and are as at be by for from has have in is it its of on or that the this to was were will with not ' +
    'pub fn struct enum trait impl use mod let mut const static type where self super crate match ref move dyn unsafe ' +
    'async await return if else while loop break continue true false some none ok err ' +
    'export import default function class interface extends implements new null undefined var void typeof instanceof ' +
    'string number boolean any unknown never public private protected readonly'
  ).split(' '),
);

/** A focus, with everything read out of it that scoring a chunk needs. */
export interface PreparedFocus {
  readonly path: string;
  readonly filename: string;
  readonly prefix: string | undefined;
  readonly tokens: ReadonlySet<string>;
  readonly defined: ReadonlySet<string>;
  readonly imported: ReadonlySet<string>;
}

/** Reads a focus once. Symbols that it does not name are read out of its content. */
export function prepareFocus(focus: RelevanceFocus): PreparedFocus {
  const { path, content } = focus;
  const read = extractSymbols(content);
  const symbolsOf = (symbols: readonly string[]) => new Set(symbols.map(lastSegment));
  return {
    path,
    filename: filenameOf(path),
    prefix: prefixOf(path),
    tokens: tokensOf(content),
    defined: symbolsOf(focus.defined_symbols ?? read.defined),
    imported: symbolsOf(focus.imported_symbols ?? read.imported),
  };
}

/**
 * How much a chunk has to do with the focus:
 * `1.0 path + 0.6 filename + 0.6 defined + 0.4 jaccard(tokens) + 0.3 prefix - 0.5 imported only`, where
 *
 * - path: the chunk comes from the file, or its text names the file's path
 * - filename: the same of its last segment
 * - defined: the text names a symbol that the file defines
 * - prefix: both paths begin with the same two segments
 * - imported only: the text names a symbol that the file imports and none that it defines: it is about something else
 *   that this file happens to use
 */
export function scoreChunk(focus: PreparedFocus, chunk: RelevanceChunk): Pick<ScoredChunk, 'score' | 'signals'> {
  const { source, doc_id: documentId, text } = chunk;
  const named = new Set(text.match(words) ?? []);
  const overlap = jaccard(focus.tokens, tokensOf(text));
  const defined = intersects(focus.defined, named);
  const places = [source, documentId];
  const strengths: Record<RelevanceSignal, number> = {
    path: Number(places.includes(focus.path) || text.includes(focus.path)),
    filename: Number(places.some((place) => filenameOf(place) === focus.filename) || namesFile(text, focus.filename)),
    defined: Number(defined),
    tokens: overlap,
    prefix: Number(focus.prefix !== undefined && prefixOf(source) === focus.prefix),
    imported_only: Number(!defined && intersects(focus.imported, named)),
  };
  const signals = (Object.keys(strengths) as RelevanceSignal[]).filter((signal) => strengths[signal] !== 0);
  return { score: signals.reduce((sum, signal) => sum + relevanceWeights[signal] * strengths[signal], 0), signals };
}

const words = /[A-Za-z_$][\w$]*/g;

function tokensOf(text: string): Set<string> {
  const tokens = new Set<string>();
  for (const [word] of text.matchAll(words)) {
    const token = word.toLowerCase();
    if (token.length > 1 && !stopwords.has(token)) tokens.add(token);
  }
  return tokens;
}

function jaccard(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let shared = 0;
  for (const token of one) if (other.has(token)) shared += 1;
  return shared === 0 ? 0 : shared / (one.size + other.size - shared);
}

function intersects(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  for (const element of one) if (other.has(element)) return true;
  return false;
}

function filenameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The first two segments; a path of fewer directories has none. */
function prefixOf(path: string): string | undefined {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.length < 3 ? undefined : segments.slice(0, 2).join('/');
}

/** Whether the text names the file, and not merely one whose name ends or begins like it. */
function namesFile(text: string, filename: string): boolean {
  const partOfName = /[\w$-]/;
  for (let at = text.indexOf(filename); at >= 0 && filename !== ''; at = text.indexOf(filename, at + 1)) {
    const before = text[at - 1] ?? ' ';
    const after = text[at + filename.length] ?? ' ';
    if (!partOfName.test(before) && !partOfName.test(after)) return true;
  }
  return false;
}
