import type { Connection } from './connection.ts';
import type { LoadPlan } from './plan.ts';

export interface DriveOptions {
  readonly plan: LoadPlan;
  readonly connections: readonly Connection[];
  /** Sent in rotation. */
  readonly requests: readonly [Buffer, ...Buffer[]];
  readonly reconnectDelayMs: number;
  readonly signal: AbortSignal | undefined;
  readonly now: () => number;
  /** A request goes out so long after it was due. */
  readonly onSent: (lagMs: number) => void;
  /** A request has ended; latency counts from when it was due. */
  readonly onSettled: (status: number, failure: string, latencyMs: number) => void;
}

/** Sends what the plan says over the connections, and resolves when everything sent has ended. */
export function drive(options: DriveOptions): Promise<{ readonly sent: number; readonly elapsedMs: number }> {
  const { plan, connections, requests, reconnectDelayMs, signal, now, onSent, onSettled } = options;
  return new Promise((resolve) => {
    const idle = [...connections];
    const startedAt = now();
    let sent = 0;
    let timer: NodeJS.Timeout | undefined;

    const release = (connection: Connection): void => {
      idle.push(connection);
      pump();
    };

    const send = (connection: Connection, elapsedMs: number): void => {
      const dueMs = plan.dueMs?.(sent) ?? elapsedMs;
      const request = requests[sent % requests.length] ?? requests[0];
      sent += 1;
      onSent(elapsedMs - dueMs);
      connection.exchange(request, (status, failure) => {
        onSettled(status, failure, now() - startedAt - dueMs);
        if (status === 0) setTimeout(release, reconnectDelayMs, connection);
        else release(connection);
      });
    };

    /** Hands what is due to the connections that are free, and comes back when the next one is due. */
    const pump = (): void => {
      clearTimeout(timer);
      for (;;) {
        const elapsedMs = now() - startedAt;
        if (sent >= plan.total || elapsedMs >= plan.lastSendMs || signal?.aborted === true) {
          if (idle.length < connections.length) return;
          signal?.removeEventListener('abort', pump);
          resolve({ sent, elapsedMs });
          return;
        }
        const waitMs = (plan.dueMs?.(sent) ?? 0) - elapsedMs;
        if (waitMs > 0) {
          timer = setTimeout(pump, waitMs);
          return;
        }
        const connection = idle.pop();
        if (connection === undefined) return;
        send(connection, elapsedMs);
      }
    };

    signal?.addEventListener('abort', pump);
    pump();
  });
}
