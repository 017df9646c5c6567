import type { z } from 'zod';
import type { Upcaster } from './envelope.ts';
import { corpusChangeSchema, corpusStateSchema } from './events/corpus.ts';
import { corpusSpaceDataSchema } from './events/corpus-space.ts';
import { documentDataSchema, vectorDataSchema } from './events/document.ts';
import { indexLeaseDataSchema } from './events/index-lease.ts';
import { indexSwitchDataSchema } from './events/index-switch.ts';
import { ingestDataSchema } from './events/ingest.ts';
import { auditBaselineSchema, evidenceRowSchema, replayRunSchema } from './events/lines.ts';
import { observationDataSchema } from './events/observation.ts';
import { playbookDataSchema, playbookRetractedSchema } from './events/playbook.ts';
import {
  rejectedDataSchema,
  rejectedResolvedDataSchema,
  rejectedRetryDataSchema,
  rejectedUpcasters,
} from './events/rejected.ts';
import { searchDataSchema } from './events/search-log.ts';

/**
 * What is said on the log, in one place. Subject, stream, schema, TypeScript type and who it is delivered to follow from
 * an entry here; `HandlersOf<Worker>` makes the compiler demand a handler for every event delivered to a worker.
 */

export const streamNames = [
  'INGEST',
  'DOCUMENTS',
  'VECTORS',
  'PLAYBOOKS',
  'INDEXES',
  'OBSERVATIONS',
  'SEARCHES',
  'EVIDENCE',
  'AUDIT_BASELINES',
  'REPLAY_RUNS',
  'REJECTED',
] as const;
export type StreamName = (typeof streamNames)[number];

/**
 * How a worker is given its events. A reactor has a durable pull consumer and acks; a projector reads in order from its
 * own checkpoint, and JetStream keeps nothing for it.
 */
export interface ReactorDelivery {
  readonly mode: 'reactor';
  readonly stream: StreamName;
  /** How long the server waits for an ack before it delivers again; handlers that take longer report progress. */
  readonly ackWaitMs: number;
  /** Messages that may be unacknowledged at once, over all instances of the worker. */
  readonly ackPendingMax: number;
  /** Messages that one instance works on at once. */
  readonly concurrency: number;
  /** Backoff between attempts while something that the handler needs is away. */
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** Attempts after which a handler that throws is taken to throw forever. */
  readonly failedAttemptsMax: number;
}
export interface ProjectorDelivery {
  readonly mode: 'projector';
}
export type Delivery = ReactorDelivery | ProjectorDelivery;

export const deliveries = {
  ingest: {
    mode: 'reactor',
    stream: 'INGEST',
    ackWaitMs: 30_000,
    ackPendingMax: 512,
    concurrency: 64,
    retryFirstMs: 250,
    retryMaxMs: 30_000,
    failedAttemptsMax: 5,
  },
  embed: {
    mode: 'reactor',
    stream: 'DOCUMENTS',
    ackWaitMs: 60_000,
    ackPendingMax: 1_024,
    concurrency: 128,
    retryFirstMs: 500,
    retryMaxMs: 60_000,
    failedAttemptsMax: 5,
  },
  /** Only for spaces that a corpus is held in beside its own: a recording is on the log before it is copied there. */
  playbook: {
    mode: 'reactor',
    stream: 'PLAYBOOKS',
    ackWaitMs: 60_000,
    ackPendingMax: 256,
    concurrency: 16,
    retryFirstMs: 500,
    retryMaxMs: 60_000,
    failedAttemptsMax: 5,
  },
  index: { mode: 'projector' },
  observer: { mode: 'projector' },
} as const satisfies Record<string, Delivery>;
export type WorkerName = keyof typeof deliveries;

interface EventDefinition {
  readonly stream: StreamName;
  /** Dotted; a token in angle brackets is filled in, and what fills it is made subject-safe. */
  readonly subject: string;
  /**
   * How the payload is written. `envelope`: our own CloudEvents type. `open`: plain JSON or anybody's CloudEvents
   * envelope around it. `line`: one line of JSON whose bytes are the event.
   */
  readonly wire: 'envelope' | 'open' | 'line';
  readonly version: number;
  readonly schema: z.ZodType;
  /** `upcasters[n]` turns data of version n into version n + 1. */
  readonly upcasters: Readonly<Record<number, Upcaster>>;
  readonly deliveredTo: readonly WorkerName[];
}

export const catalog = {
  'lakehouse.ingest': {
    stream: 'INGEST',
    subject: 'ingest.<corpus>',
    wire: 'open',
    version: 1,
    schema: ingestDataSchema,
    upcasters: {},
    deliveredTo: ['ingest'],
  },
  'lakehouse.corpus-change': {
    stream: 'INGEST',
    subject: 'corpora.<corpus>',
    wire: 'open',
    version: 1,
    schema: corpusChangeSchema,
    upcasters: {},
    deliveredTo: ['ingest'],
  },
  'lakehouse.document': {
    stream: 'DOCUMENTS',
    subject: 'documents.<corpus>.<key>',
    wire: 'envelope',
    version: 1,
    schema: documentDataSchema,
    upcasters: {},
    deliveredTo: ['embed'],
  },
  // In the place of a key stands what no key is written like, so that whoever reads a corpus reads this with it.
  'lakehouse.corpus': {
    stream: 'DOCUMENTS',
    subject: 'documents.<corpus>.~corpus',
    wire: 'envelope',
    version: 1,
    schema: corpusStateSchema,
    upcasters: {},
    deliveredTo: ['embed'],
  },
  'lakehouse.vector': {
    stream: 'VECTORS',
    subject: 'vectors.<space>.<corpus>.<key>',
    wire: 'envelope',
    version: 1,
    schema: vectorDataSchema,
    upcasters: {},
    deliveredTo: ['index'],
  },
  'lakehouse.vector-corpus': {
    stream: 'VECTORS',
    subject: 'vectors.~corpus.<corpus>.~corpus',
    wire: 'envelope',
    version: 1,
    schema: corpusStateSchema,
    upcasters: {},
    deliveredTo: ['index'],
  },
  'lakehouse.playbook': {
    stream: 'PLAYBOOKS',
    subject: 'playbooks.<corpus>.<key>',
    wire: 'envelope',
    version: 1,
    schema: playbookDataSchema,
    upcasters: {},
    deliveredTo: ['index', 'playbook'],
  },
  'lakehouse.playbook-retracted': {
    stream: 'PLAYBOOKS',
    subject: 'playbooks.<corpus>.<key>',
    wire: 'envelope',
    version: 1,
    schema: playbookRetractedSchema,
    upcasters: {},
    deliveredTo: ['index', 'playbook'],
  },
  'lakehouse.index-switched': {
    stream: 'INDEXES',
    subject: 'indexes.<corpus>',
    wire: 'envelope',
    version: 1,
    schema: indexSwitchDataSchema,
    upcasters: {},
    deliveredTo: ['index'],
  },
  'lakehouse.corpus-space': {
    stream: 'INDEXES',
    subject: 'indexes.<corpus>',
    wire: 'envelope',
    version: 1,
    schema: corpusSpaceDataSchema,
    upcasters: {},
    deliveredTo: ['index'],
  },
  'lakehouse.index-lease': {
    stream: 'INDEXES',
    subject: 'indexes.<corpus>',
    wire: 'envelope',
    version: 1,
    schema: indexLeaseDataSchema,
    upcasters: {},
    deliveredTo: [],
  },
  'lakehouse.observation': {
    stream: 'OBSERVATIONS',
    subject: 'observations.<source>',
    wire: 'envelope',
    version: 1,
    schema: observationDataSchema,
    upcasters: {},
    deliveredTo: ['observer'],
  },
  'lakehouse.search': {
    stream: 'SEARCHES',
    subject: 'searches.<corpus>',
    wire: 'envelope',
    version: 1,
    schema: searchDataSchema,
    upcasters: {},
    deliveredTo: ['index'],
  },
  'lakehouse.rejected': {
    stream: 'REJECTED',
    subject: 'rejected.<stream>.<worker>.<sequence>',
    wire: 'envelope',
    version: 2,
    schema: rejectedDataSchema,
    upcasters: rejectedUpcasters,
    deliveredTo: ['index', 'observer'],
  },
  'lakehouse.rejected-resolved': {
    stream: 'REJECTED',
    subject: 'rejected.<stream>.<worker>.<sequence>',
    wire: 'envelope',
    version: 1,
    schema: rejectedResolvedDataSchema,
    upcasters: {},
    deliveredTo: ['index', 'observer'],
  },
  'lakehouse.rejected-retry': {
    stream: 'REJECTED',
    subject: 'retries.<stream>.<worker>.<sequence>',
    wire: 'envelope',
    version: 1,
    schema: rejectedRetryDataSchema,
    upcasters: {},
    deliveredTo: ['observer'],
  },
  'lakehouse.evidence': {
    stream: 'EVIDENCE',
    subject: 'evidence.<stem>',
    wire: 'line',
    version: 1,
    schema: evidenceRowSchema,
    upcasters: {},
    deliveredTo: [],
  },
  'lakehouse.audit-baseline': {
    stream: 'AUDIT_BASELINES',
    subject: 'audit.baselines',
    wire: 'line',
    version: 1,
    schema: auditBaselineSchema,
    upcasters: {},
    deliveredTo: ['observer'],
  },
  'lakehouse.replay-run': {
    stream: 'REPLAY_RUNS',
    subject: 'replay.runs',
    wire: 'line',
    version: 1,
    schema: replayRunSchema,
    upcasters: {},
    deliveredTo: ['observer'],
  },
} as const satisfies Record<string, EventDefinition>;

export type EventName = keyof typeof catalog;
export type EventData<Name extends EventName> = z.output<(typeof catalog)[Name]['schema']>;

/** The events that a worker is delivered. */
export type EventsFor<Worker extends WorkerName> = {
  [Name in EventName]: Worker extends (typeof catalog)[Name]['deliveredTo'][number] ? Name : never;
}[EventName];

/** The events of a stream. */
export type EventsOf<Stream extends StreamName> = {
  [Name in EventName]: (typeof catalog)[Name]['stream'] extends Stream ? Name : never;
}[EventName];

/** The names in the angle brackets of a subject pattern. */
export type TokensOf<Pattern extends string> = Pattern extends `${string}<${infer Token}>${infer Rest}`
  ? Token | TokensOf<Rest>
  : never;
export type SubjectTokens<Name extends EventName> = Readonly<
  Record<TokensOf<(typeof catalog)[Name]['subject']>, string>
>;

/** The subjects of a stream, `*` for every token that is filled in; a pattern that another one covers is left out. */
export function subjectsOf(stream: StreamName): string[] {
  const patterns = Object.values(catalog)
    .filter((definition) => definition.stream === stream)
    .map((definition) => definition.subject.replace(/<[a-z]+>/g, '*'));
  const distinct = [...new Set(patterns)];
  return distinct.filter((pattern) => !distinct.some((other) => other !== pattern && covers(other, pattern)));
}

const streamOfFirstToken = new Map(
  streamNames.flatMap((name) => subjectsOf(name).map((subject) => [firstToken(subject), name] as const)),
);

/** The stream that takes what is said on a subject: its first token alone decides that. */
export function streamOf(subject: string): StreamName | undefined {
  return streamOfFirstToken.get(firstToken(subject));
}

function firstToken(subject: string): string {
  return subject.split('.', 1)[0] ?? '';
}

/** Whether every subject of the second pattern is one of the first. */
function covers(pattern: string, other: string): boolean {
  const wanted = pattern.split('.');
  const tokens = other.split('.');
  return wanted.length === tokens.length && wanted.every((token, place) => token === '*' || token === tokens[place]);
}

/** The event of a stream that is said on a subject, where the subject alone decides that. */
export function eventOn(names: readonly EventName[], subject: string): EventName | undefined {
  return names.find((name) => covers(catalog[name].subject.replace(/<[a-z]+>/g, '*'), subject));
}
