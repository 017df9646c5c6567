import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { type FoldContext, startProjector } from '../../streams/projector.ts';
import { appendRejected } from '../../streams/rejected.ts';
import { readPayload, readStreamState } from '../../streams/stream-reader.ts';
import { openLineLog } from './line-log.ts';
import { fitsOneLine } from './line-source.ts';

export type LineStream = 'AUDIT_BASELINES' | 'REPLAY_RUNS';

export interface LineProjection {
  /** Lines on disk: the last sequence that can not be lost. */
  readonly lines: () => number;
  /** Undefined while every line is written as it comes, else why not. */
  readonly notReady: () => string | undefined;
  stop(): Promise<void>;
}

/**
 * Writes a stream to a file, line N the payload of sequence N, whatever our schemas say of it: rows of other runtimes lie
 * in the same log.
 * @throws NatsError where the server does not answer; errors of the file system as they are
 */
export async function startLineProjection(
  { connection, log }: { readonly connection: LogConnection; readonly log: RuntimeLog },
  stream: LineStream,
  path: string,
): Promise<LineProjection> {
  const source = {
    lastSequence: async () => (await readStreamState(connection, stream)).lastSequence,
    payload: (sequence: number) => readPayload(connection, stream, sequence),
  };
  const lineLog = await openLineLog({ path, source, log, clock: connection.clock });
  const setAside = async (context: Omit<FoldContext, 'traceId'>) => {
    const message = `the payload has a line feed; it is kept in base64 as line ${context.sequence} of ${path}`;
    log.error({ stream, sequence: context.sequence }, message);
    const rejection = { reason: 'invalid_event', message, version: null } as const;
    await appendRejected(connection, 'observer', { ...context, stream, attempts: 1 }, rejection);
    await lineLog.append(context.sequence, context.payload);
  };
  const projector = startProjector({
    connection,
    log,
    stream,
    worker: 'observer',
    checkpoint: lineLog.lines(),
    onPayload: (context) =>
      fitsOneLine(context.payload) ? lineLog.append(context.sequence, context.payload) : setAside(context),
  });
  return {
    lines: lineLog.lines,
    notReady: () =>
      lineLog.fault() ?? (projector.isCaughtUp() ? undefined : `${stream} is folded up to ${lineLog.lines()}`),
    stop: async () => {
      await projector.stop();
      await lineLog.close();
    },
  };
}
