import type { Candidate } from './types.ts';

/**
 * A result as a reply shows it by default: `{id, distance, corpus, truncated?, metadata?}` as JSON text. The metadata's own text
 * is set in, not parsed and written again; it must be valid JSON, as it is in the log.
 */
export function resultJson(result: Candidate): string {
  const truncated = result.truncated === true ? ',"truncated":true' : '';
  const head = `{"id":${JSON.stringify(result.id)},"distance":${result.distance},"corpus":${JSON.stringify(result.corpus)}${truncated}`;
  return result.metadataJson === null ? `${head}}` : `${head},"metadata":${result.metadataJson}}`;
}
