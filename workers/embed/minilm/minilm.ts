import { availableParallelism } from 'node:os';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import {
  checkTexts,
  type Embedder,
  EmbedderError,
  type EmbedKind,
  type EmbedResult,
  throwIfAborted,
  untilAborted,
} from '../embedder.ts';
import { toUnitVectors } from '../unit-vectors.ts';
import type { EngineOptions, Runner } from './engine.ts';
import { findModelPaths, type ModelPaths, readTokenizer } from './files.ts';
import { miniLmLimits } from './limits.ts';
import { miniLmSpace } from './model.ts';
import { createRunnerPool, type RunnerPool } from './runner-pool.ts';
import { type SubBatch, toSubBatches } from './sub-batches.ts';
import { startThreadRunner } from './thread-runner.ts';
import { createTokenize, type Tokenize, type TokenizedText } from './tokenizer.ts';

export interface MiniLmOptions {
  /**
   * Inference threads, each with its own copy of the weights. 0 computes on the calling thread and blocks it. By
   * default one for every two cores, and 0 where this module runs from its TypeScript source, because Node cannot
   * start a thread from that.
   */
  readonly threads?: number;
  /** Threads that share the work inside one operator, for each inference thread. */
  readonly intraOpThreads?: number;
  /** Files to load in place of the installed package's; their sums must be the same. */
  readonly paths?: ModelPaths;
}

const compiled = import.meta.url.endsWith('.js');

/**
 * all-MiniLM-L6-v2 in this process, ready to embed when this returns (under a second).
 * Throws `model_missing` where the weights are absent or damaged.
 */
export async function createMiniLmEmbedder(options: MiniLmOptions = {}): Promise<Embedder> {
  const paths = options.paths ?? (await findModelPaths());
  const tokenize = createTokenize(await readTokenizer(paths.tokenizerPath));
  const cores = availableParallelism();
  const engineOptions: EngineOptions = {
    weightsPath: paths.weightsPath,
    intraOpThreads: options.intraOpThreads ?? Math.min(cores, miniLmLimits.defaultIntraOpThreadsMax),
  };
  const pool = createRunnerPool(await startRunners(options.threads ?? defaultThreads(cores), engineOptions));
  return createPooledEmbedder(tokenize, pool);
}

function defaultThreads(cores: number): number {
  if (!compiled) return 0;
  return Math.min(Math.max(1, Math.floor(cores / 2)), miniLmLimits.defaultThreadsMax);
}

async function startRunners(threads: number, options: EngineOptions): Promise<Runner[]> {
  if (threads === 0) {
    const { createEngine } = await import('./engine.ts');
    return [await createEngine(options)];
  }
  if (!compiled)
    throw new Error('inference threads need the compiled program: run `npm run build`, or ask for 0 threads');
  const entry = new URL('./thread.js', import.meta.url);
  const started = await Promise.allSettled(Array.from({ length: threads }, () => startThreadRunner(entry, options)));
  const runners = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = started.find((result) => result.status === 'rejected');
  if (failed === undefined) return runners;
  await Promise.all(runners.map((runner) => runner.close()));
  throw failed.reason;
}

/** The embedder around its two parts: what makes tokens of texts and what makes vectors of tokens. */
export function createPooledEmbedder(tokenize: Tokenize, pool: RunnerPool): Embedder {
  // Counted apart: however many documents wait, a query is taken.
  const pendingTexts: Record<EmbedKind, number> = { query: 0, document: 0 };
  return {
    space: miniLmSpace,
    name: 'minilm',
    embed: async (texts, kind, signal) => {
      checkTexts(texts);
      throwIfAborted(signal);
      throwIfBusy(pendingTexts[kind], texts.length);
      pendingTexts[kind] += texts.length;
      try {
        return await embedTexts(await tokenizeAll(tokenize, texts, signal), pool, kind, signal);
      } finally {
        pendingTexts[kind] -= texts.length;
      }
    },
    close: () => pool.close(),
  };
}

async function embedTexts(
  texts: readonly TokenizedText[],
  pool: RunnerPool,
  kind: EmbedKind,
  signal: AbortSignal,
): Promise<EmbedResult> {
  // When one sub-batch fails, those of this call that still wait are of no use.
  const abandoned = new AbortController();
  const either = AbortSignal.any([signal, abandoned.signal]);
  const pooled: Float32Array[] = [];
  const runOne = async (subBatch: SubBatch): Promise<void> => {
    const values = await pool.run(subBatch, kind, either);
    subBatch.textIndices.forEach((textIndex, row) => {
      pooled[textIndex] = values.subarray(row * miniLmSpace.dimension, (row + 1) * miniLmSpace.dimension);
    });
  };
  try {
    const subBatches = toSubBatches(texts, miniLmLimits.subBatchTokensMax);
    await untilAborted(Promise.all(subBatches.map(runOne)), signal);
  } finally {
    abandoned.abort();
  }
  return {
    vectors: toUnitVectors(pooled, texts.length, miniLmSpace, 'The embedded model'),
    truncated: texts.map((text) => text.truncated),
  };
}

async function tokenizeAll(
  tokenize: Tokenize,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<TokenizedText[]> {
  const tokenized: TokenizedText[] = [];
  let characters = 0;
  for (const text of texts) {
    tokenized.push(tokenize(text));
    characters += text.length;
    if (characters < miniLmLimits.tokenizeSliceCharacters) continue;
    characters = 0;
    await yieldToOthers();
    throwIfAborted(signal);
  }
  return tokenized;
}

/** A request alone may be larger than the limit: it would be refused for ever otherwise. */
function throwIfBusy(pendingTexts: number, newTexts: number): void {
  if (pendingTexts === 0 || pendingTexts + newTexts <= miniLmLimits.pendingTextsMax) return;
  throw new EmbedderError({
    kind: 'outage',
    message: `The embedded model is busy: ${pendingTexts} texts wait already. Send these again later.`,
  });
}
