import { z } from 'zod';
import { documentBatchSchema, documentChangeSchema } from './events/ingest.ts';
import { json, type Operation, ok, serviceProblems } from './operation.ts';
import { auditOperations } from './operations/audit.ts';
import { lookupOperations } from './operations/lookups.ts';
import { matrixOperations } from './operations/matrix.ts';
import { vectorsOperations } from './operations/vectors.ts';
import { corpusSchema } from './primitives.ts';
import { embedReplySchema, embedRequestSchema, embedStatsReplySchema } from './requests/embed.ts';
import { digestReplySchema, indexInfoSchema } from './requests/index.ts';
import { ingestQuerySchema, ingestReplySchema, ingestStreamReplySchema } from './requests/ingest.ts';
import { ingestStatusReplySchema } from './requests/ingest-status.ts';
import {
  observerEventReplySchema,
  observerEventRequestSchema,
  observerHealthReplySchema,
  observerRejectedReplySchema,
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

const corpusParameter = z.object({ corpus: corpusSchema });
const ingestedSchema = z.union([ingestReplySchema, ingestStreamReplySchema]);
const healthSchema = z.strictObject({ status: z.enum(['ok', 'ready']) });
const readySchema = healthSchema.extend({
  /** Streams that are nearly full, in words. */
  alarms: z.array(z.string()).optional(),
});

export const operations: readonly Operation[] = [
  ...auditOperations,
  ...lookupOperations,
  ...vectorsOperations,
  ...matrixOperations,
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
    query: ingestQuerySchema,
    headers: z.object({ 'Idempotency-Key': z.string().min(1).max(255).optional() }),
    requests: [
      json(z.union([documentChangeSchema, documentBatchSchema, z.array(documentChangeSchema)])),
      { mediaType: 'application/x-ndjson', schema: z.string().meta({ description: 'A document a line, any number' }) },
      {
        mediaType: 'text/csv',
        schema: z.string().meta({ description: 'A header, then a document a row, any number' }),
      },
    ],
    replies: {
      200: { description: 'All of it can be found, or was rejected', body: json(ingestedSchema) },
      202: { description: 'All of it is in the log', body: json(ingestedSchema) },
      207: {
        description: 'Of a stream: good lines are in the log, and bad ones were refused',
        body: json(ingestStreamReplySchema),
      },
    },
    problems: [
      'bad_request',
      'invalid_document',
      'request_timeout',
      'unsupported_media_type',
      'unavailable',
      'overloaded',
      'store_full',
      'deadline_passed',
      'internal',
    ],
  },
  {
    id: 'ingestStatus',
    method: 'GET',
    path: '/v1/ingest/{corpus}/status',
    tag: 'ingest',
    summary: 'How far what was said to a corpus has come',
    parameters: corpusParameter,
    replies: ok('What was accepted, rejected, embedded and can be found', ingestStatusReplySchema),
    problems: serviceProblems,
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
    id: 'observerRejected',
    method: 'GET',
    path: '/v1/observer/rejected',
    tag: 'observer',
    summary: 'How many messages were set aside, by reason and by what became of them',
    subject: 'svc.observer.rejected',
    replies: ok('The counts', observerRejectedReplySchema),
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
