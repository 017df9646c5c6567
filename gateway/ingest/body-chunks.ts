import type { Readable } from 'node:stream';
import { ProblemError } from '../../schemas/problems.ts';

export interface ChunkOptions {
  /** A client that sends nothing for so long while it is waited for is let go. */
  readonly idleMs: number;
  /** Aborts when the gateway closes: what came in is finished, and the client told to go on elsewhere. */
  readonly closing: AbortSignal;
}

/**
 * The body of a request, a chunk at a time: nothing is read while a chunk is worked on, so that the client is slowed to
 * the pace of whoever works on it. Ending early leaves the connection as it is, so that it can be answered.
 * @throws ProblemError `request_timeout`; `unavailable` where the gateway closes; `bad_request` where the client went away
 */
export async function* bodyChunks(body: Readable, { idleMs, closing }: ChunkOptions): AsyncGenerator<Buffer, void> {
  let settle: ((outcome: Buffer | Error | undefined) => void) | undefined;
  let over: Error | 'ended' | undefined;
  const end = (how: Error | 'ended') => {
    over ??= how;
    settle?.(how === 'ended' ? undefined : how);
  };
  const onData = (chunk: Buffer) => {
    body.pause();
    settle?.(chunk);
  };
  const onEnd = () => end('ended');
  const onGone = () => end(new ProblemError('bad_request', 'the client went away before its body ended'));
  const onClosing = () => end(closingProblem());
  body.pause();
  body.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  closing.addEventListener('abort', onClosing, { once: true });
  if (closing.aborted) onClosing();
  try {
    for (;;) {
      const chunk = await new Promise<Buffer | Error | undefined>((resolve) => {
        if (over !== undefined) return resolve(over === 'ended' ? undefined : over);
        const timer = setTimeout(() => end(idleProblem(idleMs)), idleMs);
        settle = (outcome) => {
          clearTimeout(timer);
          settle = undefined;
          resolve(outcome);
        };
        body.resume();
      });
      if (chunk === undefined) return;
      if (chunk instanceof Error) throw chunk;
      yield chunk;
    }
  } finally {
    closing.removeEventListener('abort', onClosing);
    body.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    body.on('error', () => undefined);
  }
}

function idleProblem(idleMs: number): ProblemError {
  return new ProblemError('request_timeout', `nothing came for ${idleMs / 1_000} s, and the body had not ended`);
}

function closingProblem(): ProblemError {
  return new ProblemError('unavailable', 'this gateway is stopping');
}
