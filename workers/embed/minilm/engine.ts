import { InferenceSession, Tensor } from 'onnxruntime-node';
import { EmbedderError } from '../embedder.ts';
import { readWeights } from './files.ts';
import { buildModel, graphNames } from './graph.ts';
import { architecture } from './model.ts';
import { parseSafetensors } from './safetensors.ts';

/** Tokens of several texts, one after the other in `tokens`; text i has `lengths[i]` of them. */
export interface TokenBatch {
  readonly tokens: Int32Array;
  readonly lengths: readonly number[];
}

/** Computes one batch at a time: pooled vectors one after the other, 384 values for each text, not normalised. */
export interface Runner {
  run(batch: TokenBatch): Promise<Float32Array>;
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly weightsPath: string;
  /** Threads that share the work inside one operator. */
  readonly intraOpThreads: number;
}

/**
 * Loads and checks the weights and makes an inference session of them. The session computes on the thread that calls
 * `run` and blocks it. Throws `model_missing` where the weights are absent or damaged.
 */
export async function createEngine(options: EngineOptions): Promise<Runner> {
  const model = buildModel(parseSafetensors(await readWeights(options.weightsPath)));
  const session = await InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: options.intraOpThreads,
    interOpNumThreads: 1,
    // A thread that waits for its neighbour must not burn the core that a search could use.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  });
  return {
    run: async (batch) => {
      const outputs = await session.run(toInputs(batch));
      const data = outputs[graphNames.pooled]?.data;
      if (data instanceof Float32Array && data.length === batch.lengths.length * architecture.hiddenSize) return data;
      throw new EmbedderError({
        kind: 'bad_reply',
        message: 'The embedded model gave no vectors of the expected shape.',
      });
    },
    close: () => session.release(),
  };
}

/** Lays the texts out in rows, padded with zeros to the longest. */
function toInputs(batch: TokenBatch): Record<string, Tensor> {
  const texts = batch.lengths.length;
  const longest = Math.max(...batch.lengths);
  const tokens = new Int32Array(texts * longest);
  const mask = new Float32Array(texts * longest);
  let offset = 0;
  batch.lengths.forEach((length, row) => {
    tokens.set(batch.tokens.subarray(offset, offset + length), row * longest);
    mask.fill(1, row * longest, row * longest + length);
    offset += length;
  });
  return {
    [graphNames.tokens]: new Tensor('int32', tokens, [texts, longest]),
    [graphNames.positions]: new Tensor(
      'int32',
      Int32Array.from({ length: longest }, (_, index) => index),
      [longest],
    ),
    [graphNames.mask]: new Tensor('float32', mask, [texts, longest]),
  };
}
