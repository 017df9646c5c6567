import { describe, expect, it } from 'vitest';
import { startThreadRunner } from './thread-runner.ts';

const options = { weightsPath: 'none', intraOpThreads: 1 };
const batch = { tokens: Int32Array.of(7), lengths: [1] };

/** A thread whose program is given as text, in the place of the inference thread. */
function entry(program: string): URL {
  const source = `import { parentPort as port } from 'node:worker_threads'; ${program}`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

const echo = `const vectors = Float32Array.from(message.batch.tokens); port.postMessage({ kind: 'vectors', vectors });`;
const onClose = `if (message.kind === 'close') { port.close(); return; }`;
const ready = `port.postMessage({ kind: 'ready' });`;

describe('startThreadRunner', () => {
  it('runs batches on a thread and ends it', async () => {
    const runner = await startThreadRunner(
      entry(`port.on('message', (message) => { ${onClose} ${echo} }); ${ready}`),
      options,
    );
    await expect(runner.run(batch)).resolves.toEqual(Float32Array.of(7));
    await runner.close();
  });

  it('rejects with the failure that the thread tells at its start', async () => {
    const failure = { kind: 'model_missing', message: 'no weights' };
    const program = `port.postMessage({ kind: 'failed', failure: ${JSON.stringify(failure)} });`;
    await expect(startThreadRunner(entry(program), options)).rejects.toMatchObject({
      name: 'EmbedderError',
      reason: 'model_missing',
      message: 'no weights',
    });
  });

  it('rejects where the thread ends or breaks before it is ready', async () => {
    await expect(startThreadRunner(entry('process.exit(3)'), options)).rejects.toMatchObject({
      reason: 'outage',
      message: expect.stringContaining('exit code 3'),
    });
    await expect(startThreadRunner(entry(`throw new Error('no memory')`), options)).rejects.toMatchObject({
      reason: 'outage',
      message: expect.stringContaining('no memory'),
    });
  });

  it('fails the batch of a thread that dies and starts another for the next', async () => {
    const dieOnSeven = `if (message.batch.tokens[0] === 7) process.exit(9);`;
    const program = `port.on('message', (message) => { ${onClose} ${dieOnSeven} ${echo} }); ${ready}`;
    const runner = await startThreadRunner(entry(program), options);
    await expect(runner.run(batch)).rejects.toMatchObject({ reason: 'outage' });
    await expect(runner.run({ tokens: Int32Array.of(8), lengths: [1] })).resolves.toEqual(Float32Array.of(8));
    await runner.close();
  });
});
