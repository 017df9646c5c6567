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
  return resultJsonWith(result, noExtras);
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
  const head = `{"id":${quoted(result.id)},"distance":${result.distance},"corpus":${quotedCorpus(result.corpus)}`;
  return `${head}${truncated}${score}${metadata}${explain}}`;
}

/** Most ids and all corpora have nothing in them that JSON writes otherwise: writing them as they are is much faster. */
const plainText = /^[ !#-[\]-~]*$/;

/** The results of a reply mostly are of one corpus. */
let lastCorpus = { text: '', json: '""' };

function quotedCorpus(text: string): string {
  if (text !== lastCorpus.text) lastCorpus = { text, json: quoted(text) };
  return lastCorpus.json;
}

function quoted(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}
