import type { StreamName } from '../../schemas/catalog.ts';
import type { ConsumerDeclaration } from '../transport.ts';
import type { SimulatedLogOptions, SimulatedMessage } from './simulated-log.ts';

/** Somebody who takes messages. */
export interface Pull {
  readonly hasRoom: () => boolean;
  /** @param deliveries how often it was delivered, this time included */
  give(message: SimulatedMessage, deliveries: number): void;
}

/** A durable pull consumer with explicit acks, as the server keeps it. */
export interface SimulatedConsumer {
  readonly stream: StreamName;
  readonly name: string;
  /** Messages that are not acknowledged, or not delivered yet. */
  readonly left: () => number;
  readonly ackPending: () => number;
  readonly redelivered: () => number;
  /** Adds somebody who takes messages, until the returned function is called. */
  add(pull: Pull): () => void;
  /** Gives what there is to those who have room. */
  deliver(): void;
  ack(sequence: number): void;
  nak(sequence: number, delayMs: number): void;
  working(sequence: number): void;
  /** The server is killed: what it had not written down of this is lost. */
  forget(): void;
}

export interface ConsumerPorts extends SimulatedLogOptions {
  readonly next: (stream: StreamName, sequence: number, subject: string) => SimulatedMessage | undefined;
  readonly isUp: () => boolean;
}

interface Pending {
  deliveries: number;
  /** When it is delivered again unless it is acknowledged before. */
  dueMs: number;
}

/** How often the server writes down what it knows of its consumers: one in so many acks. */
const writtenPart = 0.15;

export function createSimulatedConsumer(
  { durable: name, delivery, filterSubject = '>' }: ConsumerDeclaration,
  { time, chance, next, isUp, trace }: ConsumerPorts,
): SimulatedConsumer {
  const { stream, ackWaitMs, ackPendingMax } = delivery;
  const pulls: Pull[] = [];
  let nextSequence = 1;
  let pending = new Map<number, Pending>();
  let due: number[] = [];
  let written = { nextSequence, pending: new Map<number, Pending>() };
  let turn = 0;
  let redelivered = 0;

  const watchAckWait = (sequence: number, one: Pending) => {
    time.after(one.dueMs - time.nowMs(), () => {
      if (pending.get(sequence) !== one) return;
      if (one.dueMs > time.nowMs()) return watchAckWait(sequence, one);
      if (!due.includes(sequence)) due.push(sequence);
      deliver();
    });
  };
  const takeDue = (): SimulatedMessage | undefined => {
    for (let sequence = due.shift(); sequence !== undefined; sequence = due.shift()) {
      const message = next(stream, sequence, filterSubject);
      if (pending.has(sequence) && message?.sequence === sequence) return message;
      // One that is gone from its stream needs no ack any more.
      pending.delete(sequence);
    }
    return undefined;
  };
  const takeNew = (): SimulatedMessage | undefined => {
    if (pending.size >= ackPendingMax) return undefined;
    const message = next(stream, nextSequence, filterSubject);
    if (message !== undefined) nextSequence = message.sequence + 1;
    return message;
  };
  const nextPull = (): Pull | undefined => {
    for (let tries = 0; tries < pulls.length; tries++) {
      const pull = pulls[turn++ % pulls.length];
      if (pull?.hasRoom()) return pull;
    }
    return undefined;
  };
  const deliver = (): void => {
    while (isUp()) {
      const pull = nextPull();
      if (pull === undefined) return;
      const message = takeDue() ?? takeNew();
      if (message === undefined) return;
      const deliveries = (pending.get(message.sequence)?.deliveries ?? 0) + 1;
      if (deliveries > 1) redelivered++;
      const one = { deliveries, dueMs: time.nowMs() + ackWaitMs };
      pending.set(message.sequence, one);
      watchAckWait(message.sequence, one);
      trace(() => `${name} is given ${stream} ${message.sequence} (${deliveries})`);
      pull.give(message, deliveries);
    }
  };
  return {
    stream,
    name,
    left: () => pending.size + (next(stream, nextSequence, filterSubject) === undefined ? 0 : 1),
    ackPending: () => pending.size,
    redelivered: () => redelivered,
    add: (pull) => {
      pulls.push(pull);
      deliver();
      return () => {
        const place = pulls.indexOf(pull);
        if (place >= 0) pulls.splice(place, 1);
      };
    },
    deliver,
    ack: (sequence) => {
      pending.delete(sequence);
      if (chance() < writtenPart) written = { nextSequence, pending: new Map(pending) };
      deliver();
    },
    nak: (sequence, delayMs) => {
      const one = pending.get(sequence);
      if (one === undefined) return;
      const again = { deliveries: one.deliveries, dueMs: time.nowMs() + delayMs };
      pending.set(sequence, again);
      watchAckWait(sequence, again);
    },
    working: (sequence) => {
      const one = pending.get(sequence);
      if (one !== undefined) one.dueMs = Math.max(one.dueMs, time.nowMs() + ackWaitMs);
    },
    forget: () => {
      nextSequence = written.nextSequence;
      pending = new Map();
      due = [];
      for (const [sequence, { deliveries }] of written.pending) {
        const one = { deliveries, dueMs: time.nowMs() + ackWaitMs };
        pending.set(sequence, one);
        watchAckWait(sequence, one);
      }
    },
  };
}
