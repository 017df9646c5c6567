import { EmbedderError, type EmbedKind, throwIfAborted } from '../embedder.ts';
import type { Runner, TokenBatch } from './engine.ts';
import { toFailure } from './thread-protocol.ts';

/** Several runners behind one queue. */
export interface RunnerPool {
  /**
   * Computes a batch as soon as a runner is free; queries go before documents. A signal that has aborted before its
   * batch was begun throws `deadline` then; a batch that was begun is finished.
   */
  run(batch: TokenBatch, kind: EmbedKind, signal: AbortSignal): Promise<Float32Array>;
  /** Refuses what still waits, then closes every runner. */
  close(): Promise<void>;
}

interface Job {
  readonly batch: TokenBatch;
  readonly signal: AbortSignal;
  resolve(vectors: Float32Array): void;
  reject(error: unknown): void;
}

export function createRunnerPool(runners: readonly Runner[]): RunnerPool {
  const waiting: Record<EmbedKind, Job[]> = { query: [], document: [] };
  const idle = [...runners];
  const running = new Set<Promise<void>>();
  let closed = false;

  const work = async (runner: Runner): Promise<void> => {
    for (let job = next(waiting); job !== undefined; job = next(waiting)) await runJob(runner, job);
    idle.push(runner);
  };
  const wake = (): void => {
    const runner = idle.pop();
    if (runner === undefined) return;
    const done = work(runner).finally(() => running.delete(done));
    running.add(done);
  };
  return {
    run: (batch, kind, signal) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(closedError());
        waiting[kind].push({ batch, signal, resolve, reject });
        wake();
      }),
    close: async () => {
      closed = true;
      for (const job of [...waiting.query.splice(0), ...waiting.document.splice(0)]) job.reject(closedError());
      await Promise.all(running);
      await Promise.all(runners.map((runner) => runner.close()));
    },
  };
}

function next(waiting: Record<EmbedKind, Job[]>): Job | undefined {
  return waiting.query.shift() ?? waiting.document.shift();
}

async function runJob(runner: Runner, job: Job): Promise<void> {
  try {
    throwIfAborted(job.signal);
    job.resolve(await runner.run(job.batch));
  } catch (error) {
    job.reject(error instanceof EmbedderError ? error : new EmbedderError(toFailure(error), { cause: error }));
  }
}

function closedError(): EmbedderError {
  return new EmbedderError({ kind: 'outage', message: 'The embedder has been closed: this process is stopping.' });
}
