import type { Candidate } from './types.ts';

/** What a reply tells of a result where it was asked to, or where words counted. */
export interface ResultExtras {
  readonly score: number | undefined;
  /** JSON text. */
  readonly explanation: string | undefined;
}

const noExtras: ResultExtras = { score: undefined, explanation: undefined };

/** A result as a reply shows it by default: `{id, distance, corpus, truncated?, metadata?}` as JSON text. */
export function resultJson(result: Candidate): string {
  const { id, distance, corpus, metadataJson } = result;
  if (metadataJson === null || result.truncated === true || !plainText.test(id))
    return resultJsonWith(result, noExtras);
  // Of few texts: one that is put together from many costs more to write out than to make.
  return `{"id":"${id}","distance":${distance}${keysOf(corpus).metadata}${metadataJson}}`;
}

/**
 * `{id, distance, corpus, truncated?, score?, metadata?, explain?}` as JSON text. The metadata's own text is set in, not
 * parsed and written again; it must be valid JSON, as it is in the log.
 */
export function resultJsonWith(result: Candidate, extras: ResultExtras): string {
  const truncated = result.truncated === true ? ',"truncated":true' : '';
  const score = extras.score === undefined ? '' : `,"score":${extras.score}`;
  const metadata = result.metadataJson === null ? '' : `,"metadata":${result.metadataJson}`;
  const explain = extras.explanation === undefined ? '' : `,"explain":${extras.explanation}`;
  const head = `{"id":${JSON.stringify(result.id)},"distance":${result.distance}${keysOf(result.corpus).corpus}`;
  return `${head}${truncated}${score}${metadata}${explain}}`;
}

/** Most ids have nothing in them that JSON writes otherwise: writing them as they are is much faster. */
const plainText = /^[ !#-[\]-~]*$/;

/** What stands between a distance and what comes behind the corpus: anything, or metadata. */
interface Keys {
  readonly of: string;
  readonly corpus: string;
  readonly metadata: string;
}

/** The results of a reply mostly are of one corpus. */
let lastKeys: Keys = keysFor('');

function keysOf(corpus: string): Keys {
  if (corpus !== lastKeys.of) lastKeys = keysFor(corpus);
  return lastKeys;
}

function keysFor(of: string): Keys {
  const corpus = `,"corpus":${JSON.stringify(of)}`;
  return { of, corpus, metadata: `${corpus},"metadata":` };
}
