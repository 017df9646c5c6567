import type { z } from 'zod';
import { auditReportSchema } from '../../schemas/distillation/audit.ts';
import type { DocumentChangeInput } from '../../schemas/events/ingest.ts';
import type { Position } from '../../schemas/position.ts';
import {
  auditBaselinesReplySchema,
  auditDriftReplySchema,
  type logPageQuerySchema,
  type replayRunsQuerySchema,
  replayRunsReplySchema,
} from '../../schemas/requests/audit.ts';
import { corporaReplySchema } from '../../schemas/requests/corpora.ts';
import { downgradeReplySchema, type downgradeRequestSchema } from '../../schemas/requests/downgrade.ts';
import { embedReplySchema, type embedRequestSchema, embedStatsReplySchema } from '../../schemas/requests/embed.ts';
import { digestReplySchema, indexInfoSchema } from '../../schemas/requests/index.ts';
import { ingestReplySchema } from '../../schemas/requests/ingest.ts';
import { ingestStatusReplySchema } from '../../schemas/requests/ingest-status.ts';
import {
  documentReplySchema,
  documentsReplySchema,
  playbookReplySchema,
  playbooksReplySchema,
} from '../../schemas/requests/lookups.ts';
import { searchReplySchema, type searchRequestSchema } from '../../schemas/requests/matrix.ts';
import {
  observerEventReplySchema,
  type observerEventRequestSchema,
  observerHealthReplySchema,
  observerRejectedReplySchema,
  observerStatsReplySchema,
} from '../../schemas/requests/observer.ts';
import {
  bulkReplySchema,
  type bulkRequestSchema,
  recordReplySchema,
  type recordRequestSchema,
  retractReplySchema,
  type retractRequestSchema,
} from '../../schemas/requests/playbooks.ts';
import { relevanceReplySchema, type relevanceRequestSchema } from '../../schemas/requests/relevance.ts';
import { type CallOptions, createExchange, type ExchangeOptions } from './exchange.ts';
import { type PageInput, pathOf, queryOf } from './paths.ts';
import { createVectorsClient, type VectorsClient } from './vectors.ts';

export type SearchInput = z.input<typeof searchRequestSchema>;
export type RelevanceInput = z.input<typeof relevanceRequestSchema>;
export type DowngradeInput = z.input<typeof downgradeRequestSchema>;
export type RecordInput = z.input<typeof recordRequestSchema>;
export type BulkInput = z.input<typeof bulkRequestSchema>;
export type RetractInput = z.input<typeof retractRequestSchema>;
export type EmbedInput = z.input<typeof embedRequestSchema>;
export type { PageInput } from './paths.ts';
export type LogPageInput = Partial<z.output<typeof logPageQuerySchema>>;
export type ReplayRunsInput = Partial<z.output<typeof replayRunsQuerySchema>>;
export interface DocumentInput extends CallOptions {
  /** An INGEST sequence, to learn what became of that event. */
  readonly version?: number;
}
export type ObserverEventInput = z.input<typeof observerEventRequestSchema>;

export interface IngestOptions extends CallOptions {
  /** Answer only when what was appended can be found, or was rejected. */
  readonly waitSearchable?: boolean;
  /** The same key appends the same batch once, within INGEST's duplicate window. */
  readonly idempotencyKey?: string;
}

type Answer<Schema extends z.ZodType> = Promise<z.output<Schema>>;

/**
 * The gateway's routes as functions. A request carries the position of the answers before it, so that whoever records
 * a playbook finds it lifted in the next search. Every call throws `GatewayError` for a problem that the gateway told,
 * and `GatewayUnreachableError` where no answer came.
 */
export interface GatewayClient {
  readonly url: string;
  readonly position: () => Position;
  search(request: SearchInput, options?: CallOptions): Answer<typeof searchReplySchema>;
  corpora(options?: CallOptions): Answer<typeof corporaReplySchema>;
  relevance(request: RelevanceInput, options?: CallOptions): Answer<typeof relevanceReplySchema>;
  downgrade(request: DowngradeInput, options?: CallOptions): Answer<typeof downgradeReplySchema>;
  record(request: RecordInput, options?: CallOptions): Answer<typeof recordReplySchema>;
  recordMany(request: BulkInput, options?: CallOptions): Answer<typeof bulkReplySchema>;
  retract(request: RetractInput, options?: CallOptions): Answer<typeof retractReplySchema>;
  embed(request: EmbedInput, options?: CallOptions): Answer<typeof embedReplySchema>;
  embedStats(options?: CallOptions): Answer<typeof embedStatsReplySchema>;
  /** Appends documents in order, all or none. */
  ingest(
    corpus: string,
    documents: readonly DocumentChangeInput[],
    options?: IngestOptions,
  ): Answer<typeof ingestReplySchema>;
  /** How far what was said to the corpus has come. */
  ingestStatus(corpus: string, options?: CallOptions): Answer<typeof ingestStatusReplySchema>;
  observe(event: ObserverEventInput, options?: CallOptions): Answer<typeof observerEventReplySchema>;
  observerStats(options?: CallOptions): Answer<typeof observerStatsReplySchema>;
  observerHealth(options?: CallOptions): Answer<typeof observerHealthReplySchema>;
  /** What is known of one document, a tombstone too. */
  document(corpus: string, id: string, options?: DocumentInput): Answer<typeof documentReplySchema>;
  /** A page of the documents that can be found; `next_cursor` of one page is the `cursor` of the next. */
  documents(corpus: string, options?: PageInput): Answer<typeof documentsReplySchema>;
  playbook(corpus: string, id: string, options?: CallOptions): Answer<typeof playbookReplySchema>;
  playbooks(corpus: string, options?: PageInput): Answer<typeof playbooksReplySchema>;
  /** How many messages were set aside, by reason and by what became of them. */
  rejected(options?: CallOptions): Answer<typeof observerRejectedReplySchema>;
  /** What audits counted, the newest first; `next_before` of one page is the `before` of the next. */
  auditBaselines(page?: LogPageInput, options?: CallOptions): Answer<typeof auditBaselinesReplySchema>;
  /** The newest baseline beside the one before, and beside the first. */
  auditDrift(options?: CallOptions): Answer<typeof auditDriftReplySchema>;
  /** Audits what distillation left behind; nothing is written. */
  auditRun(options?: CallOptions): Answer<typeof auditReportSchema>;
  replayRuns(page?: ReplayRunsInput, options?: CallOptions): Answer<typeof replayRunsReplySchema>;
  readonly vectors: VectorsClient;
  indexInfo(options?: CallOptions): Answer<typeof indexInfoSchema>;
  indexDigest(corpus?: string, options?: CallOptions): Answer<typeof digestReplySchema>;
}

export function createGatewayClient(options: ExchangeOptions): GatewayClient {
  const exchange = createExchange(options);
  const get = <Schema extends z.ZodType>(path: string, reply: Schema, call: CallOptions = {}) =>
    exchange.call({ ...call, method: 'GET', path, reply });
  const post = <Schema extends z.ZodType>(path: string, body: unknown, reply: Schema, call: CallOptions = {}) =>
    exchange.call({ ...call, method: 'POST', path, body, reply });
  return {
    url: options.url,
    position: exchange.position,
    search: (request, call) => post('/v1/matrix/search', request, searchReplySchema, call),
    corpora: (call) => get('/v1/matrix/corpora', corporaReplySchema, call),
    relevance: (request, call) => post('/v1/matrix/relevance', request, relevanceReplySchema, call),
    downgrade: (request, call) => post('/v1/matrix/downgrade', request, downgradeReplySchema, call),
    record: (request, call) => post('/v1/matrix/playbooks/record', request, recordReplySchema, call),
    recordMany: (request, call) => post('/v1/matrix/playbooks/bulk', request, bulkReplySchema, call),
    retract: (request, call) => post('/v1/matrix/playbooks/retract', request, retractReplySchema, call),
    embed: (request, call) => post('/v1/embed', request, embedReplySchema, call),
    embedStats: (call) => get('/v1/embed/stats', embedStatsReplySchema, call),
    ingest: (corpus, documents, { waitSearchable, idempotencyKey, ...call } = {}) => {
      const path = `/v1/ingest/${encodeURIComponent(corpus)}${waitSearchable === true ? '?wait=searchable' : ''}`;
      const key = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
      return post(path, documents, ingestReplySchema, { ...call, headers: { ...call.headers, ...key } });
    },
    ingestStatus: (corpus, call) =>
      get(`/v1/ingest/${encodeURIComponent(corpus)}/status`, ingestStatusReplySchema, call),
    observe: (event, call) => post('/v1/observer/event', event, observerEventReplySchema, call),
    observerStats: (call) => get('/v1/observer/stats', observerStatsReplySchema, call),
    observerHealth: (call) => get('/v1/observer/health', observerHealthReplySchema, call),
    document: (corpus, id, { version, ...call } = {}) =>
      get(`${pathOf('corpora', corpus, 'documents', id)}${queryOf({ version })}`, documentReplySchema, call),
    documents: (corpus, { cursor, limit, ...call } = {}) =>
      get(`${pathOf('corpora', corpus, 'documents')}${queryOf({ cursor, limit })}`, documentsReplySchema, call),
    playbook: (corpus, id, call) => get(pathOf('playbooks', corpus, id), playbookReplySchema, call),
    playbooks: (corpus, { cursor, limit, ...call } = {}) =>
      get(`${pathOf('playbooks', corpus)}${queryOf({ cursor, limit })}`, playbooksReplySchema, call),
    rejected: (call) => get('/v1/observer/rejected', observerRejectedReplySchema, call),
    auditBaselines: (page, call) => get(`/v1/audit/baselines${queryOf({ ...page })}`, auditBaselinesReplySchema, call),
    auditDrift: (call) => get('/v1/audit/drift', auditDriftReplySchema, call),
    auditRun: (call) => post('/v1/audit/run', {}, auditReportSchema, call),
    replayRuns: (page, call) => get(`/v1/replay/runs${queryOf({ ...page })}`, replayRunsReplySchema, call),
    vectors: createVectorsClient(exchange),
    indexInfo: (call) => get('/v1/index/info', indexInfoSchema, call),
    indexDigest: (corpus, call) => {
      const query = corpus === undefined ? '' : `?corpus=${encodeURIComponent(corpus)}`;
      return get(`/v1/index/digest${query}`, digestReplySchema, call);
    },
  };
}
