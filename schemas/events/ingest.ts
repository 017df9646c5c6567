import { z } from 'zod';
import { documentIdSchema, limits, metadataSchema, sequenceSchema, textSchema } from '../primitives.ts';
import { parseSpace, spaceSchema } from '../space.ts';
import { vectorFault, vectorFaultMessage, wireVectorSchema } from '../vector.ts';

const changeFields = {
  id: documentIdSchema,
  text: textSchema.optional(),
  vector: wireVectorSchema.optional(),
  space: spaceSchema.optional(),
  metadata: metadataSchema.nullish(),
  deleted: z.boolean().optional(),
};
type ChangeFields = z.output<z.ZodObject<typeof changeFields>>;

/**
 * What a producer says of one document. A field that is left out leaves its register alone:
 * - `text` and/or `vector` set the content; a vector that comes along skips the embedder, in `space`;
 * - `metadata` sets the metadata; `{}` clears it, `null` is as if left out;
 * - `deleted: true` is a tombstone for both.
 */
export const documentChangeSchema = z.strictObject(changeFields).superRefine(checkChange);
export type DocumentChangeInput = z.input<typeof documentChangeSchema>;

/**
 * A change as it may stand in the log. With `weak_after` it is said weakly: as if right behind that INGEST sequence, so
 * that whatever was said of the document since outranks it, and nothing is replaced that whoever says it did not know.
 * It speaks of content or deletes; the metadata of weak content counts as long as that content does.
 */
export const spokenChangeSchema = z
  .strictObject({ ...changeFields, weak_after: sequenceSchema.optional() })
  .superRefine((change, context) => {
    checkChange(change, context);
    if (change.weak_after === undefined || change.deleted === true) return;
    if (change.text === undefined && change.vector === undefined)
      context.addIssue({ code: 'custom', path: ['weak_after'], message: 'goes with text, vector or deleted' });
  });
export type DocumentChange = z.output<typeof spokenChangeSchema>;

function checkChange(change: ChangeFields, context: z.RefinementCtx): void {
  const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  const speaks = change.text !== undefined || change.vector !== undefined || change.metadata != null;
  if (change.deleted === true && speaks) refuse('deleted', 'a deletion brings no text, vector or metadata');
  if (change.deleted !== true && !speaks) refuse('text', 'says nothing: give text, vector, metadata or deleted');
  if (change.space !== undefined && change.vector === undefined) refuse('space', 'goes with a vector');
  if (change.vector === undefined) return;
  const dimension = (change.space === undefined ? undefined : parseSpace(change.space))?.dimension;
  const fault = vectorFault(change.vector, dimension ?? change.vector.length);
  if (fault !== undefined) refuse('vector', vectorFaultMessage(fault, change.vector, dimension ?? 0));
}

const batchOf = <Change extends z.ZodType>(change: Change) =>
  z.strictObject({ items: z.array(change).min(1).max(limits.batchItemsMax) });

/** Several changes that happen together or not at all, as one event. */
export const documentBatchSchema = batchOf(documentChangeSchema);
export const spokenBatchSchema = batchOf(spokenChangeSchema);

/** The changes of one event on `ingest.<corpus>`, whichever of its two forms it has. */
export interface IngestData {
  readonly items: readonly DocumentChange[];
}

export const ingestDataSchema = z.unknown().transform((value, context): IngestData => {
  const isBatch = typeof value === 'object' && value !== null && 'items' in value;
  const parsed = isBatch ? spokenBatchSchema.safeParse(value) : spokenChangeSchema.safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) context.addIssue({ ...issue, code: 'custom' });
    return z.NEVER;
  }
  return 'items' in parsed.data ? parsed.data : { items: [parsed.data] };
});
