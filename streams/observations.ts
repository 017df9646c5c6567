import { nuid } from 'nats';
import { encodeEvent } from '../schemas/encode.ts';
import { type ObservedOperation, observationLimits } from '../schemas/events/observation.ts';
import { isoTime } from './clock.ts';
import type { LogConnection } from './connection.ts';
import { createSoon } from './soon.ts';
import { subjectOf } from './subjects.ts';

export type Operation = Pick<ObservedOperation, 'endpoint' | 'success' | 'duration_ms'> &
  Partial<Omit<ObservedOperation, 'endpoint' | 'success' | 'duration_ms'>>;

export interface ObservationReporter {
  /** Notes one operation; never blocks, never fails. */
  report(operation: Operation): void;
  /** Sends what is left. */
  stop(): Promise<void>;
}

const flushMs = 100;
/** Rows kept apart per endpoint and outcome between two flushes; further ones are told as occurrences of one row. */
const rowsApartMax = 32;
const rowsMax = observationLimits.opsPerEventMax;

/**
 * Gathers what a process did and tells it in one message every 100 ms. Bounded: beyond a number of rows per endpoint,
 * operations alike become one row with a count and the mean duration, so that totals stay exact under load. Observing
 * must not slow what is observed: a message that the server does not take is counted as dropped.
 */
export function startObservations(connection: LogConnection, source: string): ObservationReporter {
  const { clock, nats } = connection;
  let rows: ObservedOperation[] = [];
  let folded = emptyGroups();
  let dropped = 0;

  const flush = createSoon(flushMs, () => send());
  const send = () => {
    if (rows.length === 0 && dropped === 0) return;
    const id = nuid.next();
    const data = { source, operations: rows, dropped };
    const told = rows.reduce((sum, row) => sum + (row.occurrences ?? 1), 0);
    rows = [];
    folded = emptyGroups();
    try {
      const payload = encodeEvent('lakehouse.observation', data, { id, source, time: isoTime(clock) });
      nats.publish(subjectOf('lakehouse.observation', { source }), payload);
      dropped = 0;
    } catch {
      dropped += told;
      flush.ask();
    }
  };

  return {
    report: (operation) => {
      flush.ask();
      const groups = operation.success ? folded.succeeded : folded.failed;
      let group = groups.get(operation.endpoint);
      if (group === undefined) {
        group = { rows: 0, row: undefined };
        groups.set(operation.endpoint, group);
      }
      group.rows++;
      if (group.row !== undefined) {
        const counted = group.row.occurrences ?? 1;
        group.row.duration_ms = (group.row.duration_ms * counted + operation.duration_ms) / (counted + 1);
        group.row.occurrences = counted + 1;
        return;
      }
      if (rows.length >= rowsMax) {
        dropped++;
        return;
      }
      const row = complete(operation, source, isoTime(clock));
      if (group.rows > rowsApartMax) group.row = row;
      rows.push(row);
    },
    stop: async () => {
      send();
      flush.cancel();
      if (!nats.isClosed()) await nats.flush().catch(() => undefined);
    },
  };
}

/** Operations alike since the last flush, by endpoint. */
interface Group {
  rows: number;
  /** The one that further ones are counted in. */
  row: ObservedOperation | undefined;
}

function emptyGroups(): Readonly<Record<'succeeded' | 'failed', Map<string, Group>>> {
  return { succeeded: new Map(), failed: new Map() };
}

function complete(operation: Operation, source: string, timestamp: string): ObservedOperation {
  const cut = (text: string) => text.slice(0, observationLimits.summaryCharactersMax);
  return {
    timestamp,
    source,
    ...operation,
    // One endpoint that is too long would have its whole batch refused.
    endpoint: operation.endpoint.slice(0, observationLimits.endpointCharactersMax),
    input_summary: cut(operation.input_summary ?? ''),
    output_summary: cut(operation.output_summary ?? ''),
    ...(operation.error === undefined ? {} : { error: cut(operation.error) }),
  };
}
