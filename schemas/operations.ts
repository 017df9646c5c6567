import { z } from 'zod';
import { documentBatchSchema, documentChangeSchema } from './events/ingest.ts';
import { corpusSchema } from './primitives.ts';
import type { ProblemCode } from './problems.ts';
import { embedReplySchema, embedRequestSchema, embedStatsReplySchema } from './requests/embed.ts';
import { digestReplySchema, indexInfoSchema } from './requests/index.ts';
import { ingestReplySchema } from './requests/ingest.ts';
import { searchReplySchema, searchRequestSchema } from './requests/matrix.ts';
import {
  observerEventReplySchema,
  observerEventRequestSchema,
  observerHealthReplySchema,
  observerStatsReplySchema,
} from './requests/observer.ts';
import {
  bulkReplySchema,
  bulkRequestSchema,
  recordReplySchema,
  recordRequestSchema,
  retractReplySchema,
  retractRequestSchema,
} from './requests/playbooks.ts';

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

const corpusParameter = z.object({ corpus: corpusSchema });
const healthSchema = z.strictObject({ status: z.enum(['ok', 'ready']) });
const readySchema = healthSchema.extend({
  /** Streams that are nearly full, in words. */
  alarms: z.array(z.string()).optional(),
});

/** Problems of every path whose answer comes from a service. */
export const serviceProblems: readonly ProblemCode[] = [
  'bad_request',
  'unavailable',
  'overloaded',
  'deadline_passed',
  'internal',
];

export const operations: readonly Operation[] = [
  {
    id: 'matrixSearch',
    method: 'POST',
    path: '/v1/matrix/search',
    tag: 'matrix',
    summary: 'Find by meaning, with what people chose before',
    subject: 'svc.matrix.search',
    requests: [json(searchRequestSchema)],
    replies: ok('The nearest, nearest first', searchReplySchema),
    problems: [
      ...serviceProblems,
      'invalid_vector',
      'mixed_spaces',
      'space_mismatch',
      'text_refused',
      'corpus_not_found',
      'upstream_failed',
    ],
  },
  {
    id: 'recordPlaybook',
    method: 'POST',
    path: '/v1/matrix/playbooks/record',
    tag: 'playbooks',
    summary: 'Remember the answer that a person chose',
    subject: 'svc.playbooks.record',
    requests: [json(recordRequestSchema)],
    replies: ok('The id of the playbook', recordReplySchema),
    problems: [...serviceProblems, 'text_refused', 'upstream_failed', 'store_full'],
  },
  {
    id: 'recordPlaybooks',
    method: 'POST',
    path: '/v1/matrix/playbooks/bulk',
    tag: 'playbooks',
    summary: 'Remember many answers; each stands alone',
    subject: 'svc.playbooks.bulk',
    requests: [json(bulkRequestSchema)],
    replies: ok('What became of each entry, in order', bulkReplySchema),
    problems: [...serviceProblems, 'upstream_failed', 'store_full'],
  },
  {
    id: 'retractPlaybook',
    method: 'POST',
    path: '/v1/matrix/playbooks/retract',
    tag: 'playbooks',
    summary: 'Take a remembered answer back',
    subject: 'svc.playbooks.retract',
    requests: [json(retractRequestSchema)],
    replies: ok('It is retracted', retractReplySchema),
    problems: [...serviceProblems, 'not_found', 'store_full'],
  },
  {
    id: 'embed',
    method: 'POST',
    path: '/v1/embed',
    tag: 'embed',
    summary: 'Turn texts into unit vectors',
    subject: 'svc.embed.texts',
    requests: [json(embedRequestSchema)],
    replies: ok('A vector for each text, in order', embedReplySchema),
    problems: [...serviceProblems, 'text_refused', 'upstream_failed'],
  },
  {
    id: 'embedStats',
    method: 'GET',
    path: '/v1/embed/stats',
    tag: 'embed',
    summary: 'Which embedder is in use, and how its cache does',
    subject: 'svc.embed.stats',
    replies: ok('Counts since the worker started', embedStatsReplySchema),
    problems: serviceProblems,
  },
  {
    id: 'ingest',
    method: 'POST',
    path: '/v1/ingest/{corpus}',
    tag: 'ingest',
    summary: 'Append documents to the log',
    parameters: corpusParameter,
    query: z.object({ wait: z.literal('searchable').optional() }),
    headers: z.object({ 'Idempotency-Key': z.string().min(1).max(128).optional() }),
    requests: [json(z.union([documentChangeSchema, documentBatchSchema, z.array(documentChangeSchema)]))],
    replies: {
      200: { description: 'All of it can be found, or was rejected', body: json(ingestReplySchema) },
      202: { description: 'All of it is in the log', body: json(ingestReplySchema) },
    },
    problems: [
      'bad_request',
      'invalid_document',
      'unsupported_media_type',
      'unavailable',
      'overloaded',
      'store_full',
      'deadline_passed',
      'internal',
    ],
  },
  {
    id: 'observerStats',
    method: 'GET',
    path: '/v1/observer/stats',
    tag: 'observer',
    summary: 'What was observed, counted',
    subject: 'svc.observer.stats',
    replies: ok('Counts over all that was observed', observerStatsReplySchema),
    problems: serviceProblems,
  },
  {
    id: 'observerHealth',
    method: 'GET',
    path: '/v1/observer/health',
    tag: 'observer',
    summary: 'Whether the observer lives',
    subject: 'svc.observer.health',
    replies: ok('It does', observerHealthReplySchema),
    problems: serviceProblems,
  },
  {
    id: 'observeEvent',
    method: 'POST',
    path: '/v1/observer/event',
    tag: 'observer',
    summary: 'Report an operation',
    subject: 'svc.observer.event',
    requests: [json(observerEventRequestSchema)],
    replies: ok('It was taken', observerEventReplySchema),
    problems: serviceProblems,
  },
  {
    id: 'indexInfo',
    method: 'GET',
    path: '/v1/index/info',
    tag: 'index',
    summary: 'What one index worker holds',
    subject: 'svc.index.info',
    replies: ok('Its indexes and how far they are', indexInfoSchema),
    problems: serviceProblems,
  },
  {
    id: 'indexDigest',
    method: 'GET',
    path: '/v1/index/digest',
    tag: 'index',
    summary: 'The state digest of the live indexes at one position',
    subject: 'svc.index.digest',
    query: z.object({ corpus: corpusSchema.optional() }),
    replies: ok('A digest for each index', digestReplySchema),
    problems: [...serviceProblems, 'not_found'],
  },
  {
    id: 'alive',
    method: 'GET',
    path: '/healthz',
    tag: 'health',
    summary: 'The process lives',
    replies: ok('It does', healthSchema),
    open: true,
  },
  {
    id: 'ready',
    method: 'GET',
    path: '/readyz',
    tag: 'health',
    summary: 'JetStream answers, and an index worker that has caught up',
    replies: ok('It can be asked', readySchema),
    problems: ['unavailable'],
    open: true,
  },
  {
    id: 'metrics',
    method: 'GET',
    path: '/metrics',
    tag: 'health',
    summary: 'What this gateway counts and measures, for Prometheus',
    replies: { 200: { description: 'Prometheus text', body: { mediaType: 'text/plain', schema: z.string() } } },
  },
];
