import { type StreamName, streamOf } from '../../schemas/catalog.ts';
import { ConflictError } from '../log-errors.ts';
import { topology } from '../topology.ts';
import type { Appended, ConsumerDeclaration, OrderedStart, Publication, StreamExtent } from '../transport.ts';
import { createSimulatedConsumer, type Pull, type SimulatedConsumer } from './simulated-consumer.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A message that was ever stored. */
export interface SimulatedMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly messageId: string;
  /** On the server's wall clock. */
  readonly storedAtMs: number;
  /** A newer one of its subject has taken its place, in a stream that keeps the newest only. */
  gone: boolean;
}

export interface SimulatedStream {
  readonly name: StreamName;
  /** By sequence, the first at place 0; those that are gone too. */
  readonly messages: SimulatedMessage[];
  readonly bySubject: Map<string, SimulatedMessage[]>;
}

export interface SimulatedLogOptions {
  readonly time: VirtualTime;
  /** Numbers in [0, 1), from a seed. */
  readonly chance: () => number;
  /** What the server's wall clock shows, in milliseconds since 1970; it may jump. */
  readonly wallMs: () => number;
  readonly trace: (line: () => string) => void;
}

/**
 * A server with the streams of the topology, in memory, with what JetStream does that matters to those who rest on it:
 * one order per stream; message ids that are remembered for a window of the server's wall clock; the expected last
 * sequence of a subject; durable consumers with ack waits and a bound of what is unacknowledged. Killed, it keeps every
 * message that it took; the ids of those that it holds; and of its consumers what it had written down, which may be older
 * than what it has confirmed.
 */
export interface SimulatedLog {
  readonly isUp: () => boolean;
  readonly stream: (name: StreamName) => SimulatedStream;
  /** @throws ConflictError as `LogTransport.publish` */
  publish(publication: Publication): Appended;
  /** @param behind how many messages of the stream the replica that answers has not seen yet */
  newest(stream: StreamName, subject: string, behind: number): SimulatedMessage | undefined;
  message(stream: StreamName, sequence: number): SimulatedMessage | undefined;
  /** The first message from a sequence on whose subject matches. */
  next(stream: StreamName, sequence: number, subject: string): SimulatedMessage | undefined;
  countFrom(stream: StreamName, sequence: number, subject: string): number;
  extent(stream: StreamName): StreamExtent;
  ensureConsumer(declaration: ConsumerDeclaration): void;
  consumer(stream: StreamName, durable: string): SimulatedConsumer | undefined;
  consumers(): IterableIterator<SimulatedConsumer>;
  pull(stream: StreamName, durable: string, pull: Pull): () => void;
  /** Follows a stream: told whenever it has grown. */
  follow(stream: StreamName, grown: () => void): () => void;
  kill(): void;
  start(): void;
}

export type { OrderedStart };

const createdAt = '2026-01-01T00:00:00Z';

export function createSimulatedLog(options: SimulatedLogOptions): SimulatedLog {
  const { time, wallMs, trace } = options;
  const streams = new Map<StreamName, SimulatedStream>();
  const ids = new Map<string, { readonly message: SimulatedMessage; readonly atMs: number }>();
  const consumers = new Map<string, SimulatedConsumer>();
  const followers = new Map<StreamName, Set<() => void>>();
  let up = true;

  const stream = (name: StreamName): SimulatedStream => {
    const known = streams.get(name);
    if (known !== undefined) return known;
    const made: SimulatedStream = { name, messages: [], bySubject: new Map() };
    streams.set(name, made);
    return made;
  };
  const next = (name: StreamName, sequence: number, subject: string) => {
    const { messages } = stream(name);
    for (let place = Math.max(1, sequence) - 1; place < messages.length; place++) {
      const message = messages[place];
      if (message !== undefined && !message.gone && matches(subject, message.subject)) return message;
    }
    return undefined;
  };
  const store = (to: SimulatedStream, publication: Publication): SimulatedMessage => {
    const { subject, payload, headers, messageId } = publication;
    const message = {
      sequence: to.messages.length + 1,
      subject,
      payload,
      headers,
      messageId,
      storedAtMs: wallMs(),
      gone: false,
    };
    const before = to.bySubject.get(subject) ?? [];
    if (topology[to.name].keeps === 'newest') for (const one of before.slice(-1)) one.gone = true;
    to.bySubject.set(subject, [...before, message]);
    to.messages.push(message);
    return message;
  };

  return {
    isUp: () => up,
    stream,
    publish: (publication) => {
      const { subject, messageId, lastSubjectSequence } = publication;
      const name = streamOf(subject);
      if (name === undefined) throw new Error(`no stream takes ${subject}`);
      const to = stream(name);
      const known = ids.get(`${name} ${messageId}`);
      if (known !== undefined && wallMs() - known.atMs < topology[name].duplicateWindowMs) {
        trace(() => `${name} has ${messageId} already, at ${known.message.sequence}`);
        return { sequence: known.message.sequence, duplicate: true };
      }
      const last = to.bySubject.get(subject)?.at(-1)?.sequence ?? 0;
      if (lastSubjectSequence !== undefined && lastSubjectSequence !== last) {
        trace(() => `${name} refuses ${messageId}: ${subject} ends at ${last}, not ${lastSubjectSequence}`);
        throw new ConflictError(`wrong last sequence: ${last}`);
      }
      const message = store(to, publication);
      ids.set(`${name} ${messageId}`, { message, atMs: message.storedAtMs });
      trace(() => `${name} ${message.sequence} is ${messageId} on ${subject}`);
      for (const grown of followers.get(name) ?? []) grown();
      for (const consumer of consumers.values()) if (consumer.stream === name) consumer.deliver();
      return { sequence: message.sequence, duplicate: false };
    },
    newest: (name, subject, behind) => {
      const { messages, bySubject } = stream(name);
      const seen = messages.length - behind;
      return bySubject.get(subject)?.findLast((one) => one.sequence <= seen);
    },
    message: (name, sequence) => {
      const message = stream(name).messages[sequence - 1];
      return message === undefined || message.gone ? undefined : message;
    },
    next,
    countFrom: (name, sequence, subject) =>
      stream(name)
        .messages.slice(Math.max(0, sequence - 1))
        .filter((one) => !one.gone && matches(subject, one.subject)).length,
    extent: (name) => {
      const { messages } = stream(name);
      const there = messages.filter((one) => !one.gone);
      const bytes = there.reduce((sum, { payload }) => sum + payload.length, 0);
      const firstSequence = there[0]?.sequence ?? 0;
      return { createdAt, messages: there.length, bytes, firstSequence, lastSequence: messages.length };
    },
    ensureConsumer: (declaration) => {
      const key = `${declaration.delivery.stream} ${declaration.durable}`;
      if (consumers.has(key)) return;
      const from = { ...options, next, isUp: () => up };
      consumers.set(key, createSimulatedConsumer(declaration, from));
    },
    consumer: (name, durable) => consumers.get(`${name} ${durable}`),
    consumers: () => consumers.values(),
    pull: (name, durable, pull) => {
      const consumer = consumers.get(`${name} ${durable}`);
      if (consumer === undefined) throw new Error(`${name} has no consumer ${durable}`);
      return consumer.add(pull);
    },
    follow: (name, grown) => {
      const all = followers.get(name) ?? new Set();
      followers.set(name, all.add(grown));
      return () => all.delete(grown);
    },
    kill: () => {
      up = false;
      followers.clear();
      // A server that starts again reads the ids of what it holds, and no others.
      for (const [key, { message }] of ids) if (message.gone) ids.delete(key);
      for (const consumer of consumers.values()) consumer.forget();
      trace(() => `the server is killed at ${time.nowMs()}`);
    },
    start: () => {
      up = true;
      trace(() => 'the server is back');
      for (const consumer of consumers.values()) consumer.deliver();
    },
  };
}

/** Whether a subject is one of a pattern: `*` is any token, `>` any number of them at the end. */
export function matches(pattern: string, subject: string): boolean {
  if (pattern === '>' || pattern === subject) return true;
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  if (wanted.at(-1) !== '>' && wanted.length !== tokens.length) return false;
  return wanted.every((token, place) => token === '>' || token === '*' || token === tokens[place]);
}
