/** Limits of the embedded model, in one place. */
export const miniLmLimits = {
  /** Tokens that the model was trained to read, [CLS] and [SEP] included; what is beyond is cut. */
  textTokensMax: 256,
  /** Padded tokens that are computed at a time: a tenth of a second on one core, the longest that a query waits. */
  subBatchTokensMax: 1024,
  /** Characters that are tokenised before other work on the thread gets a turn: about 5 ms. */
  tokenizeSliceCharacters: 20_000,
  /** Texts of one kind that may wait, over all callers; beyond that a caller is told that the embedder is busy. */
  pendingTextsMax: 8192,
  /** Inference threads that are started without being asked for: each holds its own 200 MB of weights. */
  defaultThreadsMax: 4,
  /** Threads within an operator that are used without being asked for. */
  defaultIntraOpThreadsMax: 2,
} as const;
