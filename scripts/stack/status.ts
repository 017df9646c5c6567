import type { GatewayClient } from '../../gateway/client/client.ts';
import type { EmbedStatsReply } from '../../schemas/requests/embed.ts';
import type { IndexInfo } from '../../schemas/requests/index.ts';
import type { ObserverRejectedReply } from '../../schemas/requests/observer.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { inspectStreams, type StreamStatus } from '../../streams/inspect.ts';
import { type StreamAlarm, streamAlarms } from '../../streams/stream-watch.ts';
import type { StackProcess, StackRecord } from './running.ts';

const probeTimeoutMs = 3_000;

export interface ProcessStatus extends StackProcess {
  readonly ready: boolean;
  /** What it waits for, where it is not ready. */
  readonly reason: string | null;
  /** Consumers of it that stalled and were taken up again, since it began; null where it does not tell. */
  readonly stalls: number | null;
}

/** An answer, or why there was none. */
export type Asked<Value> = { readonly answer: Value } | { readonly failure: string };

export interface StackStatus {
  /** Every process is ready, every stream is there, and gateway, index, embedder and observer answer. */
  readonly ready: boolean;
  readonly started_at: string | null;
  readonly gateway_url: string;
  readonly nats_url: string | null;
  readonly processes: readonly ProcessStatus[];
  readonly streams: readonly StreamStatus[];
  readonly streams_missing: readonly string[];
  /** Streams that are nearly full, and refuse when they are. */
  readonly alarms: readonly StreamAlarm[];
  /** Why the streams could not be asked; null where they could. */
  readonly log_failure: string | null;
  readonly index: Asked<IndexInfo>;
  readonly embedder: Asked<EmbedStatsReply>;
  readonly rejected: Asked<ObserverRejectedReply>;
}

export interface StatusSources {
  /** Undefined where the processes were not started by `up`. */
  readonly record: StackRecord | undefined;
  /** Or why there is none. */
  readonly log: Asked<LogConnection>;
  readonly client: GatewayClient;
  readonly fetch: typeof fetch;
}

/** Asks everything that can be asked at once. What does not answer is told as a part of the status. */
export async function readStatus(sources: StatusSources): Promise<StackStatus> {
  const { record, log, client } = sources;
  const [processes, found, index, embedder, rejected] = await Promise.all([
    Promise.all((record?.processes ?? []).map((one) => probeProcess(one, sources.fetch))),
    'answer' in log ? asked(inspectStreams(log.answer)) : log,
    asked(client.indexInfo()),
    asked(client.embedStats()),
    asked(client.rejected()),
  ]);
  const streams = 'answer' in found ? [...found.answer] : [];
  const present = streams.map(([, stream]) => stream).filter((stream) => stream !== undefined);
  const missing = streams.filter(([, stream]) => stream === undefined).map(([name]) => name);
  const answering = [found, index, embedder, rejected].every((part) => 'answer' in part);
  return {
    ready: answering && missing.length === 0 && processes.every(({ ready }) => ready),
    started_at: record?.started_at ?? null,
    gateway_url: client.url,
    nats_url: record?.nats_url ?? null,
    processes,
    streams: present,
    streams_missing: missing,
    alarms: streamAlarms(present),
    log_failure: 'failure' in found ? found.failure : null,
    index,
    embedder,
    rejected,
  };
}

/** The answer, or the words of the failure. */
export async function asked<Value>(question: Promise<Value>): Promise<Asked<Value>> {
  try {
    return { answer: await question };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}

async function probeProcess(one: StackProcess, send: typeof fetch): Promise<ProcessStatus> {
  const unasked = { ...one, stalls: null };
  if (one.pid === null) return { ...unasked, ready: false, reason: 'it does not run now; it is started again' };
  // nats-server is asked by every question to its streams.
  if (one.health_url === null) return { ...unasked, ready: true, reason: null };
  try {
    const response = await send(`${one.health_url}/readyz`, { signal: AbortSignal.timeout(probeTimeoutMs) });
    const text = await response.text();
    const { reason, stalls } = told(text);
    return { ...one, stalls, ready: response.ok, reason: response.ok ? null : reason };
  } catch (error) {
    return { ...unasked, ready: false, reason: `no answer: ${error instanceof Error ? error.message : error}` };
  }
}

/** `reason` of a worker's answer, `detail` of a problem document, else the text. */
function told(text: string): Pick<ProcessStatus, 'stalls'> & { readonly reason: string } {
  try {
    const { reason, detail, stalls } = JSON.parse(text) as Record<string, unknown>;
    return { reason: String(reason ?? detail ?? text), stalls: typeof stalls === 'number' ? stalls : null };
  } catch {
    return { reason: text, stalls: null };
  }
}
