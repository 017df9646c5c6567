import { headers, type Msg, type NatsConnection, NatsError, type PublishOptions } from 'nats';
import type { Clock } from './clock.ts';
import { OutageError } from './log-errors.ts';
import { createReplyNumbers } from './reply-numbers.ts';
import { createSoon } from './soon.ts';

export interface RequesterOptions {
  readonly nats: NatsConnection;
  /** Nobody else's: see `newInbox`. */
  readonly inbox: string;
  readonly clock: Clock;
  /** An answer that has not come by then is not waited for. */
  readonly timeoutMs: number;
}

export interface Question {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Asks the server's own services: its streams, above all. */
export interface Requester {
  /**
   * @throws OutageError where no answer came: what was asked for may be done or not
   * @throws NatsError where it could not be sent, or this user may not ask
   */
  ask(question: Question): Promise<Msg>;
  /** Answers that were on their way do not come any more. */
  connectionLost(): void;
  /** This user may not publish on the subject. */
  notPermitted(subject: string): void;
}

interface Asked extends Question {
  readonly number: number;
  readonly deadlineAtMs: number;
  readonly answer: (message: Msg) => void;
  readonly fail: (error: Error) => void;
}

/** What waits for others leaves after so long at the latest. */
const gatherMs = 1;
/** So much does not wait for more. */
const gatheredMax = 64;
/** Deadlines are looked after so often. */
const sweepMs = 250;

/**
 * Asks over one inbox that lives as long as the connection. What is asked while nothing is under way leaves at the end of
 * the turn of the event loop; what is asked later leaves in one write when all before it is answered, or a millisecond has
 * passed. A write for each costs more than what is written, here and at the server.
 */
export function createRequester({ nats, inbox, clock, timeoutMs }: RequesterOptions): Requester {
  const replies = createReplyNumbers<Asked>();
  let gathered: Asked[] = [];
  const underWay = () => replies.size() - gathered.length;
  let atTurnsEnd: NodeJS.Immediate | undefined;
  let atLatest: NodeJS.Timeout | undefined;

  const send = () => {
    clearImmediate(atTurnsEnd);
    clearTimeout(atLatest);
    atTurnsEnd = undefined;
    atLatest = undefined;
    const leaving = gathered;
    gathered = [];
    for (const asked of leaving) {
      try {
        nats.publish(asked.subject, asked.payload, publishOptions(asked, `${inbox}.${asked.number}`));
      } catch (error) {
        fail(asked, error instanceof Error ? error : new Error(String(error)));
      }
    }
  };
  const sendSoon = () => {
    if (gathered.length === 0) return;
    if (underWay() === 0 || gathered.length >= gatheredMax) atTurnsEnd ??= setImmediate(send);
    else atLatest ??= setTimeout(send, gatherMs);
  };
  const take = (message: Msg) => {
    const asked = replies.get(Number(message.subject.slice(inbox.length + 1)));
    if (asked === undefined) return;
    replies.close(asked.number);
    const nobodyThere = message.data.length === 0 && message.headers?.code === 503;
    if (nobodyThere) asked.fail(NatsError.errorForCode('503'));
    else asked.answer(message);
    sendSoon();
  };
  const fail = (asked: Asked, error: Error) => {
    gathered = gathered.filter((one) => one !== asked);
    replies.giveUp(asked.number, clock.monotonicMs());
    asked.fail(error);
    sendSoon();
  };
  const sweep = createSoon(sweepMs, () => {
    const now = clock.monotonicMs();
    for (const asked of replies.waiting())
      if (asked.deadlineAtMs <= now)
        fail(asked, unanswered(asked.subject, `no answer came within ${timeoutMs / 1_000} s`));
    replies.release(now);
    if (replies.size() > 0) sweep.ask();
  });
  const connectionLost = () => {
    for (const asked of replies.waiting())
      fail(asked, unanswered(asked.subject, 'the connection was lost before the answer'));
  };
  nats.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error === null) take(message);
    },
  });
  void nats.closed().then(connectionLost);

  return {
    ask: (question) =>
      new Promise((answer, fail) => {
        const deadlineAtMs = clock.monotonicMs() + timeoutMs;
        gathered.push(replies.open((number) => ({ ...question, number, deadlineAtMs, answer, fail })));
        sendSoon();
        sweep.ask();
      }),
    connectionLost,
    notPermitted: (subject) => {
      const asked = replies.waiting().find((one) => one.subject === subject);
      if (asked !== undefined)
        fail(asked, new NatsError(`this user may not publish on ${subject}`, 'PERMISSIONS_VIOLATION'));
    },
  };
}

function unanswered(subject: string, why: string): OutageError {
  return new OutageError('unavailable', `the log did not answer for ${subject}: ${why}`);
}

function publishOptions({ headers: said }: Question, reply: string): PublishOptions {
  const entries = Object.entries(said);
  if (entries.length === 0) return { reply };
  const messageHeaders = headers();
  for (const [name, value] of entries) messageHeaders.set(name, value);
  return { reply, headers: messageHeaders };
}
