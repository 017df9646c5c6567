import { castToFloat32, createGraphBuilder, type GraphBuilder } from './graph-builder.ts';
import { architecture } from './model.ts';
import { encodeModel } from './onnx-encoding.ts';
import type { StoredTensor } from './safetensors.ts';

/** Opset 20 is the first with Gelu as one operator. */
const opset = 20;

/** Names of what goes into the graph and comes out of it. */
export const graphNames = { tokens: 'tokens', positions: 'positions', mask: 'mask', pooled: 'pooled' } as const;

/** Added to the attention scores of padding, so that softmax gives it nothing. */
const paddingScore = -10_000;

/**
 * An ONNX model: BERT with mean pooling around the given float16 tensors, computed in float32.
 *
 * Inputs: `tokens` int32 [texts, length], `positions` int32 [length] (0, 1, ...), `mask` float32 [texts, length] (1 for
 * a token, 0 for padding). Output: `pooled` float32 [texts, 384], the mean over tokens, not yet of unit length.
 * Weights are cast to float32 when the session is made; the word table stays float16 and only the rows that are looked
 * up are cast, which gives the same numbers in half the memory.
 */
export function buildModel(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
  const builder = createGraphBuilder(tensors);
  const bias = attentionBias(builder);
  let hidden = embeddings(builder);
  for (let index = 0; index < architecture.layers; index++) hidden = layer(builder, hidden, bias, index);
  meanPool(builder, hidden);
  return encodeModel(
    {
      name: 'all-minilm-l6-v2',
      nodes: builder.nodes,
      initializers: builder.initializers,
      inputs: [
        { name: graphNames.tokens, dataType: 'int32', shape: ['texts', 'length'] },
        { name: graphNames.positions, dataType: 'int32', shape: ['length'] },
        { name: graphNames.mask, dataType: 'float32', shape: ['texts', 'length'] },
      ],
      outputs: [{ name: graphNames.pooled, dataType: 'float32', shape: ['texts', architecture.hiddenSize] }],
    },
    opset,
  );
}

/** 0 for tokens and `paddingScore` for padding, shaped [texts, 1, 1, length] to be added to the scores of every head. */
function attentionBias(builder: GraphBuilder): string {
  const padding = builder.apply('Sub', [builder.scalar(1), graphNames.mask]);
  const scores = builder.apply('Mul', [padding, builder.scalar(paddingScore)]);
  return builder.apply('Unsqueeze', [scores, builder.integers([1, 2])]);
}

function embeddings(builder: GraphBuilder): string {
  const rows = (table: string, indices: string): string =>
    builder.apply('Cast', [builder.apply('Gather', [builder.stored(table), indices])], castToFloat32);
  const words = rows('embeddings.word_embeddings.weight', graphNames.tokens);
  const positions = rows('embeddings.position_embeddings.weight', graphNames.positions);
  const firstSegment = rows('embeddings.token_type_embeddings.weight', builder.integers([0]));
  const sum = builder.apply('Add', [builder.apply('Add', [words, positions]), firstSegment]);
  return layerNorm(builder, sum, 'embeddings.LayerNorm');
}

function layer(builder: GraphBuilder, hidden: string, bias: string, index: number): string {
  const prefix = `encoder.layer.${index}`;
  const attended = linear(builder, attention(builder, hidden, bias, prefix), `${prefix}.attention.output.dense`);
  const residual = builder.apply('Add', [attended, hidden]);
  const normalised = layerNorm(builder, residual, `${prefix}.attention.output.LayerNorm`);
  const inner = builder.apply('Gelu', [linear(builder, normalised, `${prefix}.intermediate.dense`)]);
  const outer = linear(builder, inner, `${prefix}.output.dense`);
  return layerNorm(builder, builder.apply('Add', [outer, normalised]), `${prefix}.output.LayerNorm`);
}

/** softmax(Q K' / sqrt(head size) + bias) V, head by head (Vaswani et al. 2017, 3.2.1). */
function attention(builder: GraphBuilder, hidden: string, bias: string, prefix: string): string {
  const { heads, hiddenSize } = architecture;
  const headSize = hiddenSize / heads;
  const split = builder.integers([0, 0, heads, headSize]);
  const project = (part: string, order: readonly number[]): string => {
    const projected = linear(builder, hidden, `${prefix}.attention.self.${part}`);
    const byHead = builder.apply('Reshape', [projected, split]);
    return builder.apply('Transpose', [byHead], [{ name: 'perm', ints: order }]);
  };
  const query = project('query', [0, 2, 1, 3]);
  const keyTransposed = project('key', [0, 2, 3, 1]);
  const value = project('value', [0, 2, 1, 3]);
  const products = builder.apply('MatMul', [query, keyTransposed]);
  const scores = builder.apply('Mul', [products, builder.scalar(1 / Math.sqrt(headSize))]);
  const weights = builder.apply('Softmax', [builder.apply('Add', [scores, bias])], [{ name: 'axis', int: -1 }]);
  const mixed = builder.apply('MatMul', [weights, value]);
  const byToken = builder.apply('Transpose', [mixed], [{ name: 'perm', ints: [0, 2, 1, 3] }]);
  return builder.apply('Reshape', [byToken, builder.integers([0, 0, hiddenSize])]);
}

/** x W' + b: the file keeps W as [outputs, inputs]. */
function linear(builder: GraphBuilder, input: string, name: string): string {
  const weight = builder.apply('Transpose', [builder.weight(`${name}.weight`)], [{ name: 'perm', ints: [1, 0] }]);
  return builder.apply('Add', [builder.apply('MatMul', [input, weight]), builder.weight(`${name}.bias`)]);
}

function layerNorm(builder: GraphBuilder, input: string, name: string): string {
  return builder.apply(
    'LayerNormalization',
    [input, builder.weight(`${name}.weight`), builder.weight(`${name}.bias`)],
    [
      { name: 'axis', int: -1 },
      { name: 'epsilon', float: architecture.layerNormEpsilon },
    ],
  );
}

/** The sum over tokens divided by their number; a text always has at least its two special tokens. */
function meanPool(builder: GraphBuilder, hidden: string): void {
  const mask = builder.apply('Unsqueeze', [graphNames.mask, builder.integers([2])]);
  const overTokens = builder.integers([1]);
  const sum = builder.apply(
    'ReduceSum',
    [builder.apply('Mul', [hidden, mask]), overTokens],
    [{ name: 'keepdims', int: 0 }],
  );
  const count = builder.apply('ReduceSum', [mask, overTokens], [{ name: 'keepdims', int: 0 }]);
  builder.applyAs(graphNames.pooled, 'Div', [sum, count]);
}
