/** The entry of an inference thread: an engine behind messages. Started by `startThreadRunner`, never imported. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createEngine, type EngineOptions, type Runner } from './engine.ts';
import { type ThreadReply, type ThreadRequest, toFailure } from './thread-protocol.ts';

async function serve(port: MessagePort, options: EngineOptions): Promise<void> {
  const send = (reply: ThreadReply): void =>
    port.postMessage(reply, reply.kind === 'vectors' ? [reply.vectors.buffer] : []);
  const engine = await createEngine(options).catch((error: unknown) => {
    send({ kind: 'failed', failure: toFailure(error) });
    return undefined;
  });
  if (engine === undefined) return;
  port.on('message', (request: ThreadRequest) => {
    if (request.kind === 'run') answer(engine, request, send);
    else engine.close().finally(() => port.close());
  });
  send({ kind: 'ready' });
}

function answer(engine: Runner, request: ThreadRequest & { kind: 'run' }, send: (reply: ThreadReply) => void): void {
  engine.run(request.batch).then(
    // A copy of its own, so that its memory can be handed over.
    (vectors) => send({ kind: 'vectors', vectors: new Float32Array(vectors) }),
    (error: unknown) => send({ kind: 'failed', failure: toFailure(error) }),
  );
}

if (parentPort === null) throw new Error('thread.ts is the entry of a worker thread and cannot be run by itself');
await serve(parentPort, workerData);
