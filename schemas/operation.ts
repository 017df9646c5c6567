import type { z } from 'zod';
import type { ProblemCode } from './problems.ts';

/** What a body may be: JSON of a schema, or text of a media type. */
export interface Body {
  readonly mediaType: string;
  readonly schema: z.ZodType;
}

/** One path of the gateway as a caller sees it. The document at `/openapi.json` is made of these. */
export interface Operation {
  /** Camel case; the names of its schemas in the document begin with it. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Parameters in braces, as OpenAPI writes them. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  /** The service that answers, where the gateway only passes bytes. */
  readonly subject?: string;
  /** Path and query parameters: an object schema each. */
  readonly parameters?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly requests?: readonly Body[];
  /** Status to what it answers, the problems apart. */
  readonly replies: Readonly<Record<number, { description: string; body?: Body }>>;
  /** What may go wrong beyond what may go wrong everywhere. */
  readonly problems?: readonly ProblemCode[];
  /** Answers without a token. */
  readonly open?: true;
}

/** JSON of a schema. */
export function json(schema: z.ZodType): Body {
  return { mediaType: 'application/json', schema };
}

/** The one reply of an operation that answers 200 with JSON. */
export function ok(description: string, schema: z.ZodType): Operation['replies'] {
  return { 200: { description, body: json(schema) } };
}

/** Problems of every path whose answer comes from a service. */
export const serviceProblems: readonly ProblemCode[] = [
  'bad_request',
  'unavailable',
  'overloaded',
  'deadline_passed',
  'internal',
];
