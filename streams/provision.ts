import { NatsError, type StreamConfig, type StreamInfo } from 'nats';
import { type StreamName, streamNames } from '../schemas/catalog.ts';
import type { LogConnection } from './connection.ts';
import { streamConfig, type TopologyOptions, topology } from './topology.ts';

export interface Drift {
  readonly stream: StreamName;
  readonly field: string;
  readonly declared: unknown;
  readonly found: unknown;
}

export interface ProvisionReport {
  readonly created: StreamName[];
  readonly updated: StreamName[];
  /** What differs from the declaration still, after what could be updated was. */
  readonly drift: Drift[];
  readonly missing: StreamName[];
}

const streamNotFound = 10059;

/**
 * Creates the streams that are not there and brings the others to their declaration; run twice it changes nothing. What
 * the server has is read back, and a difference that it would not take is reported, never hidden.
 */
export async function provisionStreams(connection: LogConnection, options: TopologyOptions): Promise<ProvisionReport> {
  const created: StreamName[] = [];
  const updated: StreamName[] = [];
  for (const name of streamNames) {
    const declared = streamConfig(name, options);
    const info = await readInfo(connection, name);
    if (info === undefined) {
      await connection.manager.streams.add(declared);
      created.push(name);
      continue;
    }
    const wanted = { ...info.config, ...declared, max_bytes: bytesLimit(name, declared.max_bytes, info) };
    if (compare(name, wanted, info.config).length === 0) continue;
    // A refusal (a field that can not change) shows as drift when it is read back.
    const done = await connection.manager.streams.update(name, wanted).catch(() => undefined);
    if (done !== undefined) updated.push(name);
  }
  const checked = await checkStreams(connection, options);
  return { created, updated, ...checked };
}

/**
 * The byte limit to ask for. A server that is given a smaller limit than a stream holds deletes the oldest messages, also
 * where they can not be deleted otherwise: only a window may lose them, so that any other stream keeps its limit then.
 */
function bytesLimit(name: StreamName, declared: number, { state, config }: StreamInfo): number {
  const loses = topology[name].keeps !== 'window' && state.bytes > declared;
  return loses ? config.max_bytes : declared;
}

/** Compares what the server has with what is declared, and changes nothing. */
export async function checkStreams(
  connection: LogConnection,
  options: TopologyOptions,
  names: readonly StreamName[] = streamNames,
): Promise<Pick<ProvisionReport, 'drift' | 'missing'>> {
  const drift: Drift[] = [];
  const missing: StreamName[] = [];
  for (const name of names) {
    const info = await readInfo(connection, name);
    if (info === undefined) missing.push(name);
    else drift.push(...compare(name, streamConfig(name, options), info.config));
  }
  return { drift, missing };
}

async function readInfo(connection: LogConnection, name: StreamName): Promise<StreamInfo | undefined> {
  try {
    return await connection.manager.streams.info(name);
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === streamNotFound) return undefined;
    throw error;
  }
}

/** Fields that the server fills in when they were left out, and how an absent one reads. */
const absentAs: Readonly<Record<string, unknown>> = {
  deny_delete: false,
  deny_purge: false,
  allow_direct: false,
  no_ack: false,
  sealed: false,
};

function compare(stream: StreamName, declared: Partial<StreamConfig>, found: StreamConfig): Drift[] {
  const read = found as unknown as Record<string, unknown>;
  return Object.entries(declared)
    .map(([field, value]) => ({ stream, field, declared: value, found: read[field] ?? absentAs[field] }))
    .filter((entry) => JSON.stringify(entry.declared) !== JSON.stringify(entry.found));
}

/** One sentence for people. */
export function driftSentence(drift: Drift): string {
  return `stream ${drift.stream}: ${drift.field} is ${JSON.stringify(drift.found)} where ${JSON.stringify(drift.declared)} is declared; run "lakehouse provision" to mend what can be changed`;
}
