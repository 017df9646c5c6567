import type { z } from 'zod';

/**
 * Every error that a caller can meet: a stable code, the HTTP status it becomes and its title (RFC 9457). The same
 * numbers travel as `Nats-Service-Error-Code` between processes.
 */
export const problems = {
  bad_request: { status: 400, title: 'The request is malformed' },
  invalid_document: { status: 400, title: 'A document was refused, and nothing was appended' },
  invalid_vector: { status: 400, title: 'A vector can not be searched' },
  mixed_spaces: { status: 400, title: 'The corpora are of different spaces' },
  space_mismatch: { status: 400, title: 'The query and the corpus are of different spaces' },
  unauthorized: { status: 401, title: 'A valid bearer token is needed' },
  forbidden: { status: 403, title: 'This is not answered to you' },
  not_found: { status: 404, title: 'There is no such thing here' },
  method_not_allowed: { status: 405, title: 'That method does not go with this path' },
  already_exists: { status: 409, title: 'There is one of that name already' },
  already_running: { status: 409, title: 'That is being done already' },
  request_timeout: { status: 408, title: 'The request did not come in time' },
  payload_too_large: { status: 413, title: 'The body is larger than is taken' },
  unsupported_media_type: { status: 415, title: 'The content type is not taken here' },
  text_refused: { status: 422, title: 'The embedder refused a text' },
  rate_limited: { status: 429, title: 'Too many requests' },
  headers_too_large: { status: 431, title: 'The headers are larger than is taken' },
  internal: { status: 500, title: 'An error of this system' },
  corpus_not_found: { status: 502, title: 'A corpus is missing, and no partial answer is given' },
  upstream_failed: { status: 502, title: 'A part that this answer needs has failed' },
  unavailable: { status: 503, title: 'The part that answers this is not there' },
  overloaded: { status: 503, title: 'More work is waiting than is taken' },
  store_full: { status: 507, title: 'The log is full' },
  deadline_passed: { status: 504, title: 'The answer did not come in time' },
} as const;

export type ProblemCode = keyof typeof problems;

/** RFC 9457 problem details, with this system's stable `code`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly [extension: string]: unknown;
}

export function problem(code: ProblemCode, detail: string, extensions: Record<string, unknown> = {}): Problem {
  const { status, title } = problems[code];
  return { ...extensions, type: `urn:lakehouse:problem:${code}`, title, status, code, detail };
}

/** A failure that its caller is meant to see, thrown where a request is answered and turned into a reply at the edge. */
export class ProblemError extends Error {
  readonly problem: Problem;
  constructor(code: ProblemCode, detail: string, extensions: Record<string, unknown> = {}) {
    super(detail);
    this.name = 'ProblemError';
    this.problem = problem(code, detail, extensions);
  }
}

/** One sentence for the first thing that a schema refused, with the place it stands in. */
export function firstIssue(error: z.ZodError): { path: string; message: string } {
  const issue = error.issues[0];
  if (issue === undefined) return { path: '', message: 'is not valid' };
  return { path: issue.path.map(String).join('.'), message: issue.message };
}

/** `path: message`, or the message alone where the whole value is meant. */
export function issueSentence(error: z.ZodError): string {
  const { path, message } = firstIssue(error);
  return path === '' ? message : `${path}: ${message}`;
}

/** Every thing that a schema refused, a sentence each. */
export function issueSentences(error: z.ZodError): string[] {
  return error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
  );
}
