import { describe, expect, it } from 'vitest';
import type { Runner } from './engine.ts';
import { miniLmLimits } from './limits.ts';
import { createPooledEmbedder } from './minilm.ts';
import { miniLmSpace } from './model.ts';
import { createRunnerPool } from './runner-pool.ts';

const neverAborted = new AbortController().signal;
const { dimension } = miniLmSpace;

/** As many tokens as the text has characters, each the code of the character. */
function tokenizeByCharacter(text: string) {
  return { tokens: Array.from(text, (character) => character.charCodeAt(0)), truncated: false };
}

/** Gives a text the vector (length, 1, 0, ...) and counts what it was asked; `onRun` is called before each batch. */
function createCountingRunner(onRun: (run: number) => void = () => {}) {
  const state = { runs: 0 };
  const runner: Runner = {
    run: async ({ lengths }) => {
      state.runs += 1;
      onRun(state.runs);
      const vectors = new Float32Array(lengths.length * dimension);
      lengths.forEach((length, row) => {
        vectors.set([length, 1], row * dimension);
      });
      return vectors;
    },
    close: async () => {},
  };
  return { runner, state };
}

function createEmbedderOver(...runners: readonly Runner[]) {
  return createPooledEmbedder(tokenizeByCharacter, createRunnerPool(runners));
}

describe('createPooledEmbedder', () => {
  const halfBatch = 'x'.repeat(miniLmLimits.subBatchTokensMax / 2);

  it('gives each text its own vector, whatever the order in which they are computed', async () => {
    const embedder = createEmbedderOver(createCountingRunner().runner, createCountingRunner().runner);
    const sizes = Array.from({ length: 300 }, (_, index) => 1 + ((index * 37) % 100));
    const { vectors } = await embedder.embed(
      sizes.map((size) => 'x'.repeat(size)),
      'document',
      neverAborted,
    );
    expect(vectors.map((vector) => Math.round((vector[0] ?? 0) / (vector[1] ?? 1)))).toEqual(sizes);
  });

  it('computes nothing more of a request once its signal aborts', async () => {
    const controller = new AbortController();
    const { runner, state } = createCountingRunner((run) => {
      if (run === 2) controller.abort();
    });
    const embedder = createEmbedderOver(runner);
    const request = embedder.embed(Array<string>(20).fill(halfBatch), 'document', controller.signal);
    await expect(request).rejects.toMatchObject({ reason: 'deadline' });
    await embedder.embed(['another'], 'document', neverAborted);
    expect(state.runs).toBe(3);
  });

  it('computes nothing more of a request of which a part failed', async () => {
    const { runner, state } = createCountingRunner((run) => {
      if (run === 2) throw new Error('out of memory');
    });
    const embedder = createEmbedderOver(runner);
    await expect(embedder.embed(Array<string>(20).fill(halfBatch), 'document', neverAborted)).rejects.toMatchObject({
      reason: 'outage',
      message: expect.stringContaining('out of memory'),
    });
    await embedder.embed(['another'], 'document', neverAborted);
    expect(state.runs).toBeLessThan(6);
  });

  it('refuses documents beyond its queue but no query, and takes them again once the queue is empty', async () => {
    const embedder = createEmbedderOver(createCountingRunner().runner);
    const many = Array<string>(miniLmLimits.pendingTextsMax).fill('x');
    const first = embedder.embed(many, 'document', neverAborted);
    await expect(embedder.embed(['x'], 'document', neverAborted)).rejects.toMatchObject({ reason: 'outage' });
    expect((await embedder.embed(['x'], 'query', neverAborted)).vectors).toHaveLength(1);
    await first;
    expect((await embedder.embed(['x'], 'document', neverAborted)).vectors).toHaveLength(1);
  });
});
