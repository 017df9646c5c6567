import { type Msg, NatsError, type Subscription } from 'nats';
import { type ProblemCode, problem } from '../schemas/problems.ts';
import { decodeFrames, encodeFrames, type FrameDraft, headerLines } from './batch-frames.ts';
import { type LogConnection, newInbox } from './connection.ts';
import { fullAt, type Gathered, gatherMs, isFull, isWorthWaiting, lowered, mayLeave } from './gathering.ts';
import { createNumbered } from './numbered.ts';
import { createOneAtTurnsEnd } from './one-a-turn.ts';
import { createReplyNumbers } from './reply-numbers.ts';
import { deadlineHeader } from './service.ts';
import { createSoon } from './soon.ts';

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
  /** Let it travel together with others that wait: right for many short requests, wrong for one that may take long. */
  readonly gather?: boolean;
}

export interface ServiceClient {
  /** Asks a service. What fails is a reply with a status (503 nobody is there, 504 too late), never an exception. */
  request(subject: string, body: Uint8Array, options: RequestOptions): Promise<ServiceReply>;
  /** Requests that wait for an answer. */
  readonly waiting: () => number;
  close(): void;
}

interface Waiting {
  readonly frame: FrameDraft;
  readonly deadlineAtMs: number;
  readonly resolve: (reply: ServiceReply) => void;
  /** What it waits in; undefined where it travels alone. */
  readonly lane: Lane | undefined;
  /** The message that it travels in, once it has left. */
  batch: Batch | undefined;
}

interface Lane {
  readonly queue: Waiting[];
  /** Messages on their way of which nothing was heard yet. */
  batchesHeld: number;
  /** A flush is due when what the event loop has read by now has been handled. */
  flushDue: boolean;
  /** Requests that are not answered yet, and the most of them lately: see `Gathered`. */
  open: number;
  peak: number;
}

interface Batch {
  /** Names the subject of its replies. */
  readonly number: number;
  readonly lane: Lane;
  readonly subject: string;
  readonly requests: readonly Waiting[];
  /** Of these, those that still wait. */
  open: number;
  readonly sentAtMs: number;
  holds: boolean;
}

/** A message takes at most so many bytes. */
const batchBytesMax = 1024 * 1024;
/** An unanswered message stops holding the others back after this long. */
const holdMs = 20;
const sweepMs = 20;
/** Beyond this replies are taken as they come. */
const repliesWaitingMax = 64;
/** Of the headers of one request; a batch of them stays well within what a message may carry. */
const headerCharactersMax = 8 * 1024;

/**
 * Asks services over one inbox that lives as long as the client, with correlation numbers. Requests that wait together
 * travel as one message: under load that costs a fraction of a message each, and when idle a request leaves at once.
 */
export function createServiceClient(connection: LogConnection): ServiceClient {
  const { nats, clock } = connection;
  const inbox = newInbox(connection);
  const pending = createNumbered<Waiting>();
  const batches = createReplyNumbers<Batch>();
  const lanes = new Map<string, Lane>();

  const settle = (correlation: number, reply: ServiceReply) => {
    const waiting = pending.take(correlation);
    if (waiting === undefined) return;
    if (waiting.batch !== undefined) waiting.batch.open--;
    if (waiting.lane !== undefined) waiting.lane.open--;
    waiting.resolve(reply);
  };

  const release = (batch: Batch) => {
    if (!batch.holds) return;
    batch.holds = false;
    batch.lane.batchesHeld--;
    if (batch.lane.queue.length > 0) flushSoon(batch.subject, batch.lane);
  };

  const receive = (message: Msg) => {
    const batch = batches.get(Number(message.subject.slice(inbox.length + 1)));
    if (batch === undefined) return;
    if (message.headers?.code === 503)
      for (const { frame } of batch.requests) settle(frame.correlation, nobodyThere(batch.subject));
    else
      for (const { correlation, status, headers, body } of decodeFrames(message.data) ?? [])
        settle(correlation, { status, headers, body });
    if (batch.open === 0) batches.close(batch.number);
    release(batch);
  };

  /**
   * Requests that came in meanwhile are read first, and leave where they fill a message: so those who answer have work
   * while answers are written. The other way round either side waits until the other is done with all that is under way.
   */
  const replies = createOneAtTurnsEnd(repliesWaitingMax);
  const subscription: Subscription = nats.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error === null) replies.take(() => receive(message));
    },
  });

  /**
   * Requests that came in together are read in one turn of the event loop: what does not fill a message leaves at its end,
   * or turns later where more are to be expected. A timer would not be due within a millisecond.
   */
  const flushSoon = (subject: string, lane: Lane) => {
    if (lane.flushDue) return;
    lane.flushDue = true;
    const turn = (queuedBefore: number, joinedAtMs: number) => {
      setImmediate(() => {
        const gathered = gatheredOf(lane);
        if (isWorthWaiting(gathered)) {
          const now = clock.monotonicMs();
          const joined = gathered.queued > queuedBefore ? now : joinedAtMs;
          if (now - joined < gatherMs) return turn(gathered.queued, joined);
          lane.peak = lowered(gathered);
        }
        lane.flushDue = false;
        flush(subject, lane);
      });
    };
    turn(0, 0);
  };

  const flush = (subject: string, lane: Lane) => {
    while (mayLeave(gatheredOf(lane))) send(subject, lane, takeBatch(lane), true);
  };

  const send = (subject: string, lane: Lane, taken: readonly Waiting[], holds: boolean) => {
    // One that was given up while it waited for its turn is not sent at all.
    const requests = taken.filter(({ frame }) => pending.get(frame.correlation) !== undefined);
    if (requests.length === 0) return;
    const sentAtMs = clock.monotonicMs();
    const batch = batches.open((number) => ({
      number,
      lane,
      subject,
      requests,
      open: requests.length,
      holds,
      sentAtMs,
    }));
    for (const waiting of requests) waiting.batch = batch;
    if (holds) lane.batchesHeld++;
    try {
      const frames = encodeFrames(requests.map((waiting) => waiting.frame));
      nats.publish(subject, frames, { reply: `${inbox}.${batch.number}` });
    } catch (error) {
      for (const { frame } of requests) settle(frame.correlation, notSent(subject, error));
      batches.close(batch.number);
      if (holds) lane.batchesHeld--;
    }
  };

  /** A reply that never comes frees its place in the lane too, so that a dead worker does not hold up the living. */
  const sweep = createSoon(sweepMs, () => {
    const now = clock.monotonicMs();
    for (const { deadlineAtMs, frame } of pending.values())
      if (deadlineAtMs <= now) settle(frame.correlation, tooLate());
    for (const lane of lanes.values())
      while (lane.queue[0] !== undefined && pending.get(lane.queue[0].frame.correlation) === undefined)
        lane.queue.shift();
    for (const batch of batches.waiting()) {
      if (batch.open === 0) batches.giveUp(batch.number, now);
      if (batch.open === 0 || now - batch.sentAtMs >= holdMs) release(batch);
    }
    batches.release(now);
    if (pending.size() > 0 || batches.size() > 0) sweep.ask();
  });
  /** An answer that was on its way is lost with the connection: whoever waits is told so, and not at the deadline. */
  const stopWatching = connection.watch((connected) => {
    if (connected) return;
    for (const { frame } of pending.values()) settle(frame.correlation, cutOff());
  });

  return {
    waiting: pending.size,
    request: (subject, body, options) =>
      new Promise((resolve) => {
        if (!connection.isConnected()) return resolve(busAway());
        const headers = `${headerLines(options.headers ?? {})}${deadlineHeader}: ${Math.round(options.deadlineMs)}\n`;
        if (headers.length > headerCharactersMax)
          return resolve(problemReply('bad_request', `the headers have more than ${headerCharactersMax} characters`));
        const correlation = pending.next();
        const lane = lanes.get(subject) ?? { queue: [], batchesHeld: 0, flushDue: false, open: 0, peak: 0 };
        lanes.set(subject, lane);
        const gather = options.gather === true;
        const waiting: Waiting = {
          resolve,
          deadlineAtMs: clock.monotonicMs() + options.deadlineMs,
          frame: { correlation, status: 0, headers, body },
          lane: gather ? lane : undefined,
          batch: undefined,
        };
        pending.put(correlation, waiting);
        sweep.ask();
        if (!gather) return send(subject, lane, [waiting], false);
        lane.queue.push(waiting);
        lane.peak = Math.max(lane.peak, ++lane.open);
        if (isFull(gatheredOf(lane))) flush(subject, lane);
        else flushSoon(subject, lane);
      }),
    close: () => {
      sweep.cancel();
      stopWatching();
      subscription.unsubscribe();
      for (const { frame } of pending.values()) settle(frame.correlation, stopping());
    },
  };
}

function gatheredOf({ queue, batchesHeld: held, open, peak }: Lane): Gathered {
  return { queued: queue.length, held, open, peak };
}

function takeBatch(lane: Lane): Waiting[] {
  const { queue } = lane;
  const most = fullAt(lane);
  let bytes = 0;
  let count = 0;
  while (count < queue.length && count < most) {
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

function busAway(): ServiceReply {
  return problemReply('unavailable', 'the connection to the message bus is lost; try again shortly');
}

function cutOff(): ServiceReply {
  const detail = 'the connection to the bus was lost before the answer: whether the request was worked on is not known';
  return problemReply('unavailable', detail);
}

function stopping(): ServiceReply {
  return problemReply('unavailable', 'this process is stopping, and asks no more; try again shortly');
}

function notSent(subject: string, error: unknown): ServiceReply {
  if (error instanceof NatsError && error.code === 'MAX_PAYLOAD_EXCEEDED')
    return problemReply('payload_too_large', `the request is larger than the message bus takes (${subject})`);
  return nobodyThere(subject);
}

function tooLate(): ServiceReply {
  return problemReply('deadline_passed', 'the answer did not come before the deadline');
}

function problemReply(code: ProblemCode, detail: string): ServiceReply {
  const shown = problem(code, detail);
  return { status: shown.status, headers: {}, body: Buffer.from(JSON.stringify(shown), 'utf8') };
}
