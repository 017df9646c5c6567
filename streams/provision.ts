import { NatsError, type StreamConfig } from 'nats';
import { type StreamName, streamNames } from '../schemas/catalog.ts';
import type { LogConnection } from './connection.ts';
import { streamConfig, type TopologyOptions } from './topology.ts';

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
    const found = await readConfig(connection, name);
    if (found === undefined) {
      await connection.manager.streams.add(declared);
      created.push(name);
    } else if (compare(name, declared, found).length > 0) {
      // A refusal (a shrunken limit, a field that can not change) shows as drift when it is read back.
      const done = await connection.manager.streams.update(name, { ...found, ...declared }).catch(() => undefined);
      if (done !== undefined) updated.push(name);
    }
  }
  const checked = await checkStreams(connection, options);
  return { created, updated, ...checked };
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
    const found = await readConfig(connection, name);
    if (found === undefined) missing.push(name);
    else drift.push(...compare(name, streamConfig(name, options), found));
  }
  return { drift, missing };
}

async function readConfig(connection: LogConnection, name: StreamName): Promise<StreamConfig | undefined> {
  try {
    return (await connection.manager.streams.info(name)).config;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === streamNotFound) return undefined;
    throw error;
  }
}

/** Fields that the server fills in when they were left out, and how an absent one reads. */
const absentAs: Readonly<Record<string, unknown>> = { deny_delete: false, deny_purge: false, allow_direct: false };

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
