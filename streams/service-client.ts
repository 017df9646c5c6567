import { type Msg, headers as newHeaders, type Subscription } from 'nats';
import { problem } from '../schemas/problems.ts';
import { decodeFrames, encodeFrames, type Frame } from './batch-frames.ts';
import { type LogConnection, newInbox } from './connection.ts';
import { batchHeader, deadlineHeader } from './service.ts';

export interface ServiceReply {
  /** The HTTP status that the answer stands for. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The bytes as they came: JSON, problem+json where the status is an error. */
  readonly body: Uint8Array;
}

export interface RequestOptions {
  readonly deadlineMs: number;
  /** Sent along as they are: position, trace id. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ServiceClient {
  /** Asks a service. What fails is a reply with a status (503 nobody is there, 504 too late), never an exception. */
  request(subject: string, body: Uint8Array, options: RequestOptions): Promise<ServiceReply>;
  /** Requests that wait for an answer. */
  readonly waiting: () => number;
  close(): void;
}

interface Waiting {
  readonly frame: Frame;
  readonly deadlineAtMs: number;
  readonly resolve: (reply: ServiceReply) => void;
}

interface Lane {
  readonly queue: Waiting[];
  batchesInFlight: number;
}

/** A message takes at most so many requests and bytes; while so many messages are on their way, requests gather. */
const batchRequestsMax = 16;
const batchBytesMax = 1024 * 1024;
const batchesInFlightMax = 2;
const sweepMs = 20;

/**
 * Asks services over one inbox that lives as long as the client, with correlation numbers. Requests that wait together
 * travel as one message: under load that costs a fraction of a message each, and when idle a request leaves at once.
 */
export function createServiceClient(connection: LogConnection): ServiceClient {
  const { nats, clock } = connection;
  const inbox = newInbox(connection);
  const pending = new Map<number, Waiting>();
  const batches = new Map<number, { lane: Lane; open: Set<number> }>();
  const lanes = new Map<string, Lane>();
  let correlations = 0;
  let batchNumbers = 0;

  const settle = (correlation: number, reply: ServiceReply) => {
    const waiting = pending.get(correlation);
    if (waiting === undefined) return;
    pending.delete(correlation);
    waiting.resolve(reply);
  };

  const closeBatch = (batchNumber: number, subject: string) => {
    const batch = batches.get(batchNumber);
    if (batch === undefined) return;
    batches.delete(batchNumber);
    batch.lane.batchesInFlight--;
    flush(subject, batch.lane);
  };

  const receive = (message: Msg) => {
    const [batchText = '', ...subjectParts] = message.subject.slice(inbox.length + 1).split('.');
    const batchNumber = Number(batchText);
    const subject = subjectParts.join('.');
    const batch = batches.get(batchNumber);
    if (message.headers?.code === 503) {
      for (const correlation of batch?.open ?? []) settle(correlation, nobodyThere(subject));
      return closeBatch(batchNumber, subject);
    }
    for (const { correlation, status, headers, body } of decodeFrames(message.data) ?? []) {
      batch?.open.delete(correlation);
      settle(correlation, { status, headers, body });
    }
    if (batch?.open.size === 0) closeBatch(batchNumber, subject);
  };
  const subscription: Subscription = nats.subscribe(`${inbox}.>`, {
    callback: (error, message) => {
      if (error === null) receive(message);
    },
  });

  const flush = (subject: string, lane: Lane) => {
    while (lane.queue.length > 0 && lane.batchesInFlight < batchesInFlightMax) {
      const taken = takeBatch(lane.queue);
      const batchNumber = ++batchNumbers;
      const open = new Set(taken.map((waiting) => waiting.frame.correlation));
      batches.set(batchNumber, { lane, open });
      lane.batchesInFlight++;
      const headers = newHeaders();
      headers.set(batchHeader, '1');
      try {
        nats.publish(subject, encodeFrames(taken.map((waiting) => waiting.frame)), {
          headers,
          reply: `${inbox}.${batchNumber}.${subject}`,
        });
      } catch {
        for (const correlation of open) settle(correlation, nobodyThere(subject));
        closeBatch(batchNumber, subject);
      }
    }
  };

  /** A reply that never comes frees its place in the lane too, so that a dead worker does not hold up the living. */
  const sweep = setInterval(() => {
    const now = clock.monotonicMs();
    for (const [correlation, waiting] of pending) if (waiting.deadlineAtMs <= now) settle(correlation, tooLate());
    for (const lane of lanes.values())
      while (lane.queue[0] !== undefined && !pending.has(lane.queue[0].frame.correlation)) lane.queue.shift();
    for (const [batchNumber, batch] of batches) {
      for (const correlation of batch.open) if (!pending.has(correlation)) batch.open.delete(correlation);
      if (batch.open.size > 0) continue;
      for (const [subject, lane] of lanes) if (lane === batch.lane) closeBatch(batchNumber, subject);
    }
  }, sweepMs);
  sweep.unref();

  return {
    waiting: () => pending.size,
    request: (subject, body, options) =>
      new Promise((resolve) => {
        if (nats.isClosed()) return resolve(nobodyThere(subject));
        const correlation = ++correlations >>> 0;
        const headers = { ...options.headers, [deadlineHeader]: String(Math.round(options.deadlineMs)) };
        const waiting: Waiting = {
          resolve,
          deadlineAtMs: clock.monotonicMs() + options.deadlineMs,
          frame: { correlation, status: 0, headers, body },
        };
        pending.set(correlation, waiting);
        const lane = lanes.get(subject) ?? { queue: [], batchesInFlight: 0 };
        lanes.set(subject, lane);
        lane.queue.push(waiting);
        flush(subject, lane);
      }),
    close: () => {
      clearInterval(sweep);
      subscription.unsubscribe();
      for (const correlation of [...pending.keys()]) settle(correlation, nobodyThere(''));
    },
  };
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < batchRequestsMax) {
    bytes += queue[count]?.frame.body.length ?? 0;
    if (count > 0 && bytes > batchBytesMax) break;
    count++;
  }
  return queue.splice(0, count);
}

function nobodyThere(subject: string): ServiceReply {
  const detail = `nobody answers ${subject}: its worker is not running, or has not caught up yet; try again shortly`;
  return problemReply('unavailable', detail);
}

function tooLate(): ServiceReply {
  return problemReply('deadline_passed', 'the answer did not come before the deadline');
}

function problemReply(code: 'unavailable' | 'deadline_passed', detail: string): ServiceReply {
  const shown = problem(code, detail);
  return { status: shown.status, headers: {}, body: Buffer.from(JSON.stringify(shown), 'utf8') };
}
