import { Worker } from 'node:worker_threads';
import { EmbedderError } from '../embedder.ts';
import type { EngineOptions, Runner, TokenBatch } from './engine.ts';
import type { ThreadReply, ThreadRequest } from './thread-protocol.ts';

/**
 * Starts a thread at `entry` with an engine of its own and waits until it has loaded the weights. A thread that dies
 * fails the batch it was computing with `outage`; the next batch starts another.
 */
export async function startThreadRunner(entry: URL, options: EngineOptions): Promise<Runner> {
  let thread = await startThread(entry, options);
  return {
    run: async (batch) => {
      if (!thread.isAlive()) thread = await startThread(entry, options);
      return thread.run(batch);
    },
    close: () => thread.close(),
  };
}

interface Thread extends Runner {
  isAlive(): boolean;
}

interface Waiter {
  resolve(reply: ThreadReply): void;
  reject(error: EmbedderError): void;
}

async function startThread(entry: URL, options: EngineOptions): Promise<Thread> {
  const worker = new Worker(entry, { workerData: options });
  let waiter: Waiter | undefined;
  let alive = true;
  const die = (what: string): void => {
    alive = false;
    waiter?.reject(new EmbedderError({ kind: 'outage', message: `The inference thread ${what}. Try again.` }));
    waiter = undefined;
  };
  worker.on('message', (reply: ThreadReply) => {
    waiter?.resolve(reply);
    waiter = undefined;
  });
  worker.on('error', (error) => die(`failed: ${String(error)}`));
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      die(`ended with exit code ${code}`);
      resolve();
    });
  });
  const nextReply = (): Promise<ThreadReply> =>
    new Promise((resolve, reject) => {
      waiter = { resolve, reject };
    });
  expectNoFailure(await nextReply());
  return {
    isAlive: () => alive,
    run: async (batch: TokenBatch) => {
      const reply = nextReply();
      send(worker, { kind: 'run', batch });
      return toVectors(await reply);
    },
    close: async () => {
      if (alive) send(worker, { kind: 'close' });
      await exited;
    },
  };
}

function send(worker: Worker, request: ThreadRequest): void {
  worker.postMessage(request);
}

function expectNoFailure(reply: ThreadReply): void {
  if (reply.kind === 'failed') throw new EmbedderError(reply.failure);
}

function toVectors(reply: ThreadReply): Float32Array {
  if (reply.kind === 'vectors') return reply.vectors;
  expectNoFailure(reply);
  throw new EmbedderError({ kind: 'bad_reply', message: `The inference thread answered ${reply.kind}, not vectors.` });
}
