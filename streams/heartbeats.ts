import type { Clock } from './clock.ts';
import type { DeliveredMessage } from './transport.ts';

/** A handler that never ends loses its message to another instance after this many ack waits. */
const ackWaitsMax = 10;
const heartbeatsPerAckWait = 3;
const idleReason = 'nothing is in work';

/** Keeps messages that are being worked on from being delivered to somebody else. */
export interface Heartbeats {
  /** Until the returned function is called, and no longer than ten ack waits. */
  begin(message: DeliveredMessage): () => void;
}

/** One timer for all messages that one consumer has in work; none while there are none. */
export function createHeartbeats(clock: Clock, ackWaitMs: number): Heartbeats {
  const left = new Map<DeliveredMessage, number>();
  let idle = new AbortController();
  const beat = async (signal: AbortSignal) => {
    for (;;) {
      await clock.sleep(ackWaitMs / heartbeatsPerAckWait, signal);
      if (signal.aborted) return;
      for (const [message, beats] of left) {
        if (beats === 0) continue;
        left.set(message, beats - 1);
        message.working();
      }
    }
  };
  return {
    begin: (message) => {
      left.set(message, ackWaitsMax * heartbeatsPerAckWait);
      if (left.size === 1) {
        idle = new AbortController();
        void beat(idle.signal);
      }
      return () => {
        left.delete(message);
        // With a reason, as making one with its stack costs more than the rest of this.
        if (left.size === 0) idle.abort(idleReason);
      };
    },
  };
}
