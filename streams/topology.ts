import type { StreamConfig } from 'nats';
import { DiscardPolicy, RetentionPolicy, StorageType } from 'nats';
import { type StreamName, streamNames, subjectsOf } from '../schemas/catalog.ts';
import { nanos } from './durations.ts';

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

/**
 * What a stream keeps.
 * - `log`: everything, refused when full; nothing can be deleted or purged
 * - `newest`: the newest message of each subject
 * - `everything`: everything, but an operator may purge
 * - `window`: the newest messages within the byte limit
 */
type Keeps = 'log' | 'newest' | 'everything' | 'window';

interface StreamDeclaration {
  readonly keeps: Keeps;
  readonly bytesMax: number;
  readonly duplicateWindowMs: number;
  readonly description: string;
}

const duplicateWindowMs = 120_000;
/**
 * Of the streams that say every document anew. It spares them what is sent again because its acknowledgement was lost;
 * what comes again later is guarded by versions. nats-server keeps 100 bytes and more in memory for each message of the
 * window, and lets go of them once they are two thirds of what it keeps.
 */
const pipelineWindowMs = 20_000;

/** The byte limits are per stream and per replica; `LAKEHOUSE_STREAM_BYTES_<STREAM>` overrides one. */
export const topology: Readonly<Record<StreamName, StreamDeclaration>> = {
  INGEST: {
    keeps: 'log',
    bytesMax: 4 * gibibyte,
    // An `Idempotency-Key` is remembered for as long.
    duplicateWindowMs: 600_000,
    description: 'what producers said of documents',
  },
  DOCUMENTS: {
    keeps: 'newest',
    bytesMax: 4 * gibibyte,
    duplicateWindowMs: pipelineWindowMs,
    description: 'the state of every document',
  },
  VECTORS: {
    keeps: 'everything',
    bytesMax: 8 * gibibyte,
    duplicateWindowMs: pipelineWindowMs,
    description: 'every state of every document with its vector',
  },
  PLAYBOOKS: { keeps: 'log', bytesMax: gibibyte, duplicateWindowMs, description: 'what people chose' },
  INDEXES: { keeps: 'log', bytesMax: 64 * mebibyte, duplicateWindowMs, description: 'switches to rebuilt indexes' },
  OBSERVATIONS: {
    keeps: 'window',
    bytesMax: 256 * mebibyte,
    duplicateWindowMs,
    description: 'what processes observed of their work',
  },
  SEARCHES: { keeps: 'window', bytesMax: 256 * mebibyte, duplicateWindowMs, description: 'searches and their answers' },
  EVIDENCE: { keeps: 'log', bytesMax: gibibyte, duplicateWindowMs, description: 'rows that distillation reads' },
  AUDIT_BASELINES: {
    keeps: 'log',
    bytesMax: 64 * mebibyte,
    duplicateWindowMs,
    description: 'audit baselines, a line each',
  },
  REPLAY_RUNS: {
    keeps: 'log',
    bytesMax: 256 * mebibyte,
    duplicateWindowMs,
    description: 'replay and rebuild runs, a line each',
  },
  REJECTED: { keeps: 'window', bytesMax: 256 * mebibyte, duplicateWindowMs, description: 'messages set aside' },
};

export interface TopologyOptions {
  readonly replicas: number;
  readonly streamBytes: Partial<Record<StreamName, number>>;
}

/** The largest sum of bytes that the declared streams may take: what the server has to be allowed. */
export function topologyBytes(overrides: Partial<Record<StreamName, number>> = {}): number {
  return streamNames.reduce((sum, name) => sum + (overrides[name] ?? topology[name].bytesMax), 0);
}

/** The configuration that a stream is declared to have, in the server's terms. */
export function streamConfig(
  name: StreamName,
  options: TopologyOptions,
): Partial<StreamConfig> & { name: string; max_bytes: number } {
  const { keeps, bytesMax, duplicateWindowMs: windowMs, description } = topology[name];
  return {
    name,
    description,
    subjects: subjectsOf(name),
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_bytes: options.streamBytes[name] ?? bytesMax,
    // Limits that are not ours, named so that one which somebody set is seen.
    max_msgs: -1,
    max_age: 0,
    max_msg_size: -1,
    max_consumers: -1,
    no_ack: false,
    sealed: false,
    max_msgs_per_subject: keeps === 'newest' ? 1 : -1,
    discard: keeps === 'window' ? DiscardPolicy.Old : DiscardPolicy.New,
    deny_delete: keeps === 'log',
    deny_purge: keeps === 'log',
    duplicate_window: nanos(windowMs),
    num_replicas: options.replicas,
    allow_direct: true,
  };
}
