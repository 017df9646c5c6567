/** Limits of the Ollama embedder, in one place. */
export const ollamaLimits = {
  /** Texts in one request to the server; a longer list is sent as several requests, one after the other. */
  batchTextsMax: 64,
  /** Time for all texts of one call together, however many requests it takes. */
  deadlineMs: 60_000,
  /** Bytes of one reply that are read: 64 vectors of 8,192 dimensions, 25 characters a number. */
  replyBytesMax: 16 * 1024 * 1024,
  /** Bytes of an error reply that are read. */
  errorBytesMax: 64 * 1024,
  /** Characters of a server's own words that are repeated in an error. */
  quotedCharactersMax: 200,
} as const;
