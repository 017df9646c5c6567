import { OutageError } from '../log-errors.ts';
import type { SimulatedLog } from './simulated-log.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What goes wrong between a process and the server: probabilities, each between 0 and 1. */
export interface LinkFaults {
  /** A request or its answer is lost: whoever asked does not know which. */
  readonly lost: number;
  /** A request arrives after its sender has given up. */
  readonly late: number;
  /** A message that is delivered, or its ack, is lost. */
  readonly dropped: number;
  /** A message is delivered twice at once. */
  readonly doubled: number;
  /** A message waits on its way, so that others overtake it. */
  readonly overtaken: number;
  /** A replica answers that has not seen the newest messages. */
  readonly stale: number;
}

export const noFaults: LinkFaults = { lost: 0, late: 0, dropped: 0, doubled: 0, overtaken: 0, stale: 0 };

export interface LinkOptions {
  readonly time: VirtualTime;
  readonly log: SimulatedLog;
  /** Numbers in [0, 1), from a seed. */
  readonly chance: () => number;
  readonly faults: () => LinkFaults;
}

const requestTimeoutMs = 5_000;
const latencyMsMax = 20;
const lateMsMax = 9_000;
const overtakenMsMax = 400;
const brokenMsMax = 2_000;
/** Connections break less often than messages are lost. */
const brokenPart = 0.15;

/** The way between one process and the server. It breaks with either, and by itself. */
export interface SimulatedLink {
  readonly isDead: () => boolean;
  readonly isConnected: () => boolean;
  watch(listener: (connected: boolean) => void): () => void;
  /** Asks the server for something. What it throws comes back; no answer within 5 s is an `OutageError`. */
  request<Answer>(serve: () => Answer): Promise<Answer>;
  /** Says something to the server that has no answer. */
  say(serve: () => void): void;
  /** Brings something from the server; calls one of both when it has arrived or is known not to. */
  bring(arrived: () => void, lost: () => void, inOrder: boolean): void;
  /** The connection is gone for so many milliseconds, with everything that is under way on it. */
  breakFor(milliseconds: number): void;
  /** The process is killed: nothing that it waits for comes any more, and nothing that it does has an effect. */
  kill(): void;
}

export function createSimulatedLink({ time, log, chance, faults }: LinkOptions): SimulatedLink {
  const watchers = new Set<(connected: boolean) => void>();
  let dead = false;
  let connected = log.isUp();
  /** What was under way on a connection that is gone does not arrive. */
  let life = 0;
  let arrivesAfterMs = 0;
  const latency = () => 1 + chance() * latencyMsMax;
  const tell = () => {
    for (const watcher of [...watchers]) watcher(connected);
  };
  const reconnect = () => {
    if (dead || connected) return;
    if (!log.isUp()) {
      time.after(250, reconnect);
      return;
    }
    connected = true;
    tell();
  };
  const breakFor = (milliseconds: number) => {
    if (dead) return;
    life++;
    const was = connected;
    connected = false;
    if (was) tell();
    time.after(milliseconds, reconnect);
  };
  const request = <Answer>(serve: () => Answer) =>
    new Promise<Answer>((resolve, reject) => {
      if (dead) return;
      const begun = life;
      const giveUp = time.after(requestTimeoutMs, () => {
        if (!dead) reject(new OutageError('unavailable', 'simulated: no answer came'));
      });
      if (!connected || chance() < faults().lost / 2) return;
      const wayMs = chance() < faults().late ? requestTimeoutMs + chance() * lateMsMax : latency();
      time.after(wayMs, () => {
        if (!log.isUp() || begun !== life) return;
        let outcome: () => void;
        try {
          const answer = serve();
          outcome = () => resolve(answer);
        } catch (error) {
          outcome = () => reject(error);
        }
        if (chance() < faults().lost / 2) return;
        time.after(latency(), () => {
          if (dead || begun !== life) return;
          giveUp();
          outcome();
        });
      });
    });
  return {
    isDead: () => dead,
    isConnected: () => connected,
    watch: (listener) => {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    request,
    say: (serve) => {
      if (dead || !connected || chance() < faults().dropped) return;
      const begun = life;
      time.after(latency(), () => {
        if (log.isUp() && begun === life) serve();
      });
    },
    bring: (arrived, lost, inOrder) => {
      const begun = life;
      const isLost = chance() < faults().dropped * (inOrder ? brokenPart : 1);
      // It would not be missed otherwise: what comes in one stream of bytes is lost with its connection only.
      if (isLost && inOrder) time.after(chance() * brokenMsMax, () => breakFor(chance() * brokenMsMax));
      const extraMs = !inOrder && chance() < faults().overtaken ? chance() * overtakenMsMax : 0;
      const atMs = time.nowMs() + latency() + extraMs;
      // What travels in one stream of bytes arrives in its order.
      if (inOrder) arrivesAfterMs = Math.max(arrivesAfterMs, atMs);
      time.after((inOrder ? arrivesAfterMs : atMs) - time.nowMs(), () => {
        if (dead) return;
        if (isLost || begun !== life || !log.isUp()) lost();
        else arrived();
      });
    },
    breakFor,
    kill: () => {
      dead = true;
      life++;
      connected = false;
      watchers.clear();
    },
  };
}
