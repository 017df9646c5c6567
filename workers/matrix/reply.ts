import type { Candidate } from './types.ts';

/**
 * A result as a reply shows it by default: `{id, distance, corpus, metadata?}` as JSON text. The metadata's own text
 * is set in, not parsed and written again; it must be valid JSON, as it is in the log.
 */
export function resultJson(result: Candidate): string {
  const head = `{"id":${JSON.stringify(result.id)},"distance":${result.distance},"corpus":${JSON.stringify(result.corpus)}`;
  return result.metadataJson === null ? `${head}}` : `${head},"metadata":${result.metadataJson}}`;
}
