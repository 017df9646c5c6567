import { z } from 'zod';

/** A text longer than this (characters) is refused: it would hold up the searches that the same process answers. */
export const relevanceTextMax = 200_000;
export const relevanceChunksMax = 5_000;
export const relevanceSymbolsMax = 10_000;
/** Chunks that score less are dropped. */
export const relevanceThresholdDefault = 0.3;

const text = z.string().max(relevanceTextMax);
const symbols = z.array(z.string().min(1).max(512)).max(relevanceSymbolsMax);

/** The file that is worked on. Symbols that are not given are read out of `content`. */
export const relevanceFocusSchema = z.strictObject({
  path: z.string().min(1).max(4_096),
  content: text.default(''),
  defined_symbols: symbols.optional(),
  imported_symbols: symbols.optional(),
});
export type RelevanceFocus = z.output<typeof relevanceFocusSchema>;

export const relevanceChunkSchema = z.strictObject({
  source: z.string().max(4_096).default(''),
  doc_id: z.string().max(4_096).default(''),
  text,
});
export type RelevanceChunk = z.output<typeof relevanceChunkSchema>;

/** `POST /v1/matrix/relevance`. `focus_file` is another name of `focus`, or the path alone. */
export const relevanceRequestSchema = z
  .strictObject({
    focus: relevanceFocusSchema.optional(),
    focus_file: z
      .union([
        relevanceFocusSchema,
        relevanceFocusSchema.shape.path.transform((path) => relevanceFocusSchema.parse({ path })),
      ])
      .optional(),
    chunks: z.array(relevanceChunkSchema).max(relevanceChunksMax),
    // As the original did: what is no number counts as not given.
    threshold: z.number().optional().catch(undefined),
  })
  .transform(({ focus, focus_file, chunks, threshold }) => ({
    focus: focus ?? focus_file,
    chunks,
    threshold: threshold ?? relevanceThresholdDefault,
  }))
  .refine((request): request is typeof request & { focus: RelevanceFocus } => request.focus !== undefined, {
    message: 'is needed: the file that is worked on, such as {"path": "src/db.rs", "content": "..."}',
    path: ['focus'],
  });
export type RelevanceRequest = z.output<typeof relevanceRequestSchema>;

const signals = ['path', 'filename', 'defined', 'tokens', 'prefix', 'imported_only'] as const;
export type RelevanceSignal = (typeof signals)[number];

/** A chunk with its score and what it came from. */
export const scoredChunkSchema = relevanceChunkSchema.extend({
  score: z.number(),
  signals: z.array(z.enum(signals)),
});
export type ScoredChunk = z.output<typeof scoredChunkSchema>;

/** The answer: every chunk, in the order in which they were given, in one of two lists. */
export const relevanceReplySchema = z.strictObject({
  threshold: z.number(),
  kept: z.array(scoredChunkSchema),
  dropped: z.array(scoredChunkSchema),
});
export type RelevanceReply = z.output<typeof relevanceReplySchema>;
