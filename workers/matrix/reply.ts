import type { Candidate } from './types.ts';

/**
 * A result as a reply shows it by default: `{id, distance, corpus, truncated?, metadata?}` as JSON text. The metadata's own text
 * is set in, not parsed and written again; it must be valid JSON, as it is in the log.
 */
export function resultJson(result: Candidate): string {
  const truncated = result.truncated === true ? ',"truncated":true' : '';
  const head = `{"id":${quoted(result.id)},"distance":${result.distance},"corpus":${quoted(result.corpus)}${truncated}`;
  return result.metadataJson === null ? `${head}}` : `${head},"metadata":${result.metadataJson}}`;
}

/** Most ids and all corpora have nothing in them that JSON writes otherwise: writing them as they are is much faster. */
const plainText = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}
