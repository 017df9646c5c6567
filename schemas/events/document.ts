import { z } from 'zod';
import { corpusSchema, documentIdSchema, metadataSchema, sequenceSchema, sha256Schema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';
import { storedVectorSchema } from '../vector.ts';

/**
 * The metadata register as it travels: `version` is the INGEST sequence that spoke last (0 where none did), `value`
 * what it said, null where there is none.
 */
export const metadataRegisterSchema = z.strictObject({ version: sequenceSchema, value: metadataSchema.nullable() });

/**
 * Who outranks whom in the register of a document's content. What is said plainly stands where it was said: at `version`.
 * What is said weakly, with `after`, stands right behind the sequence `after`, however much later it was said: all that
 * was said since outranks it, and of two that stand in one place the one said first.
 */
const rankFields = { version: sequenceSchema, after: sequenceSchema.optional() };
/** Content that was put weakly brings its metadata along, for it counts only as long as the content does. */
const weakMetadata = { metadata: metadataSchema.nullable().optional() };

/** What a living document holds. At least one of text and vector is there. */
export const documentContentSchema = z.strictObject({
  ...weakMetadata,
  hash: sha256Schema,
  space: spaceSchema,
  text: z.string().nullable(),
  vector: storedVectorSchema.nullable(),
});

/**
 * The state of one document after the events up to its versions: two registers. `content.value` is null for a
 * tombstone, and for a document of which only metadata is known. `former_spaces` are the other spaces that it ever
 * had vectors in, so that they can be taken out there.
 */
export const documentDataSchema = z.strictObject({
  corpus: corpusSchema,
  id: documentIdSchema,
  content: z.strictObject({ ...rankFields, value: documentContentSchema.nullable() }),
  metadata: metadataRegisterSchema,
  former_spaces: z.array(spaceSchema),
});
export type DocumentData = z.output<typeof documentDataSchema>;
export type DocumentContent = z.output<typeof documentContentSchema>;

export const vectorContentSchema = z.strictObject({
  ...weakMetadata,
  hash: sha256Schema,
  text: z.string().nullable(),
  vector: storedVectorSchema,
  /** Whether the model saw only the beginning of the text. */
  truncated: z.boolean().default(false),
});

/**
 * The state of one document in one space: what an index needs to be built without an embedder. `content.value` is
 * null where the document is deleted or has moved to another space.
 */
export const vectorDataSchema = z.strictObject({
  corpus: corpusSchema,
  id: documentIdSchema,
  space: spaceSchema,
  content: z.strictObject({ ...rankFields, value: vectorContentSchema.nullable() }),
  metadata: metadataRegisterSchema,
});
export type VectorData = z.output<typeof vectorDataSchema>;
