import type { StreamName } from '../schemas/catalog.ts';
import type { LogConnection } from './connection.ts';
import { inspectStreams, type StreamStatus } from './inspect.ts';
import type { RuntimeLog } from './logger.ts';
import { readGauge } from './telemetry/metrics.ts';
import { tellOfStreams, together } from './telemetry/stream-metrics.ts';
import { topology } from './topology.ts';

export const streamAlarmLimits = {
  /** A stream that refuses when it is full alarms from this share of its byte limit on. */
  alarmShare: 0.8,
  /** It has to fall below this before it can alarm again: one that stays about the same says so once. */
  clearShare: 0.75,
  lookEveryMs: 15_000,
} as const;

/** A stream that will refuse what is appended to it before long. */
export interface StreamAlarm {
  readonly stream: StreamName;
  readonly bytes: number;
  readonly bytesMax: number;
}

/** How full a stream is, as a share of its byte limit; 0 where it has none. */
export function fullShare({ bytes, bytesMax }: Pick<StreamStatus, 'bytes' | 'bytesMax'>): number {
  return bytesMax > 0 ? bytes / bytesMax : 0;
}

/**
 * The streams that alarm. A window is full as a rule, and lets its oldest go: it never does.
 * @param before those that alarmed at the last look; they go on until they have fallen further
 */
export function streamAlarms(
  streams: readonly StreamStatus[],
  before: ReadonlySet<StreamName> = new Set(),
): StreamAlarm[] {
  const { alarmShare, clearShare } = streamAlarmLimits;
  return streams
    .filter(({ name }) => topology[name].keeps !== 'window')
    .filter((one) => fullShare(one) >= (before.has(one.name) ? clearShare : alarmShare))
    .map(({ name: stream, bytes, bytesMax }) => ({ stream, bytes, bytesMax }));
}

/** What happened, what it means, what to do. */
export function alarmSentence(alarm: StreamAlarm): string {
  const percent = Math.floor(100 * fullShare(alarm));
  return (
    `stream ${alarm.stream} is ${percent} % full (${alarm.bytes} of ${alarm.bytesMax} bytes); when it is full it refuses ` +
    `(507). Raise LAKEHOUSE_STREAM_BYTES_${alarm.stream} and run "lakehouse provision"`
  );
}

export interface StreamWatch {
  /** Those of the last look. */
  readonly alarms: () => readonly StreamAlarm[];
  stop(): void;
}

/**
 * Looks at every stream from time to time: one that crosses 80 % of its byte limit is told once, in the log, and for as
 * long as it stays there in the metrics. The metrics of all streams and consumers come from here.
 */
export function watchStreams(connection: LogConnection, log: RuntimeLog): StreamWatch {
  const { metrics } = connection.telemetry;
  let alarms: readonly StreamAlarm[] = [];
  const look = together(async (): Promise<StreamStatus[]> => {
    const found = await inspectStreams(connection);
    const streams = [...found.values()].filter((one) => one !== undefined);
    alarms = told(streams, alarms, log);
    return streams;
  });
  const lookQuietly = () => {
    if (!connection.isConnected()) return;
    look().catch((error: unknown) => log.debug({ error }, 'the streams could not be looked at'));
  };
  tellOfStreams(metrics, look);
  readGauge(metrics, {
    name: 'lakehouse_stream_alarm',
    help: '1 where a stream that refuses when full is beyond 80 % of its byte limit',
    labelNames: ['stream_name'],
    read: async () => {
      await look();
      return alarmSamples(alarms);
    },
  });
  const timer = setInterval(lookQuietly, streamAlarmLimits.lookEveryMs);
  timer.unref();
  lookQuietly();
  return { alarms: () => alarms, stop: () => clearInterval(timer) };
}

function told(streams: readonly StreamStatus[], before: readonly StreamAlarm[], log: RuntimeLog): StreamAlarm[] {
  const known = new Set(before.map(({ stream }) => stream));
  const alarms = streamAlarms(streams, known);
  for (const alarm of alarms) if (!known.delete(alarm.stream)) log.warn({ ...alarm }, alarmSentence(alarm));
  for (const stream of known) log.info({ stream }, `stream ${stream} is no longer nearly full`);
  return alarms;
}

function alarmSamples(alarms: readonly StreamAlarm[]) {
  const alarming = new Set(alarms.map(({ stream }) => stream));
  const names = Object.keys(topology) as StreamName[];
  return names
    .filter((name) => topology[name].keeps !== 'window')
    .map((stream) => ({ labels: { stream_name: stream }, value: alarming.has(stream) ? 1 : 0 }));
}
