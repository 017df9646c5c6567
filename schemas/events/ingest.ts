import { z } from 'zod';
import { documentIdSchema, limits, metadataSchema, textSchema } from '../primitives.ts';
import { parseSpace, spaceSchema } from '../space.ts';
import { vectorFault, vectorFaultMessage, wireVectorSchema } from '../vector.ts';

/**
 * What a producer says of one document. A field that is left out leaves its register alone:
 * - `text` and/or `vector` set the content; a vector that comes along skips the embedder, in `space`;
 * - `metadata` sets the metadata; `{}` clears it, `null` is as if left out;
 * - `deleted: true` is a tombstone for both.
 */
export const documentChangeSchema = z
  .strictObject({
    id: documentIdSchema,
    text: textSchema.optional(),
    vector: wireVectorSchema.optional(),
    space: spaceSchema.optional(),
    metadata: metadataSchema.nullish(),
    deleted: z.boolean().optional(),
  })
  .superRefine((change, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const speaks = change.text !== undefined || change.vector !== undefined || change.metadata != null;
    if (change.deleted === true && speaks) refuse('deleted', 'a deletion brings no text, vector or metadata');
    if (change.deleted !== true && !speaks) refuse('text', 'says nothing: give text, vector, metadata or deleted');
    if (change.space !== undefined && change.vector === undefined) refuse('space', 'goes with a vector');
    if (change.vector === undefined) return;
    const dimension = (change.space === undefined ? undefined : parseSpace(change.space))?.dimension;
    const fault = vectorFault(change.vector, dimension ?? change.vector.length);
    if (fault !== undefined) refuse('vector', vectorFaultMessage(fault, change.vector, dimension ?? 0));
  });

export type DocumentChange = z.output<typeof documentChangeSchema>;
export type DocumentChangeInput = z.input<typeof documentChangeSchema>;

/** Several changes that happen together or not at all, as one event. */
export const documentBatchSchema = z.strictObject({
  items: z.array(documentChangeSchema).min(1).max(limits.batchItemsMax),
});

/** The changes of one event on `ingest.<corpus>`, whichever of its two forms it has. */
export interface IngestData {
  readonly items: readonly DocumentChange[];
}

export const ingestDataSchema = z.unknown().transform((value, context): IngestData => {
  const isBatch = typeof value === 'object' && value !== null && 'items' in value;
  const parsed = isBatch ? documentBatchSchema.safeParse(value) : documentChangeSchema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) context.addIssue({ ...issue, code: 'custom' });
    return z.NEVER;
  }
  return 'items' in parsed.data ? parsed.data : { items: [parsed.data] };
});
