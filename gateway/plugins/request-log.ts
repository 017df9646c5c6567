import type { Clock } from '../../streams/clock.ts';

/** What is logged of one request, when it is over. */
export interface RequestLine {
  readonly method: string;
  /** The pattern of its path. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  readonly traceId: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The client went away before the answer. */
  readonly gone: boolean;
}

/** Writes a line; never waits, never fails. */
export type RequestLog = (line: RequestLine) => void;

const infoLevel = 30;

/** Who logs, as every line of the process says it. */
export interface LogHead {
  readonly name: string;
  readonly pid: number;
  readonly hostname: string;
}

/**
 * One line for each request, as pino writes lines. Put together here: its fields are numbers and names that hold no
 * secret, and looking for secrets would cost more than the line (5.5 us of the 6).
 */
export function createRequestLog(
  write: (text: string) => void,
  { name, pid, hostname }: LogHead,
  clock: Pick<Clock, 'nowMs'>,
): RequestLog {
  const head = JSON.stringify({ pid, hostname, name }).slice(1, -1);
  return ({ method, route, status, durationMs, traceId, bytesIn, bytesOut, gone }) => {
    // Patterns of paths are this gateway's own, and methods are those that Node.js knows: neither needs quoting twice.
    const path = JSON.stringify(route).slice(1, -1);
    const took = Math.round(durationMs * 1_000) / 1_000;
    write(
      `{"level":${infoLevel},"time":${clock.nowMs()},${head},"method":"${method}","route":"${path}",` +
        `"status":${status},"durationMs":${took},"traceId":${JSON.stringify(traceId)},"bytesIn":${bytesIn},` +
        `"bytesOut":${bytesOut},${gone ? '"gone":true,' : ''}"msg":"${method} ${path} ${status}"}\n`,
    );
  };
}
