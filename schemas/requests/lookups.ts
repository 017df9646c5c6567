import { z } from 'zod';
import { playbookEntrySchema, playbookIdSchema } from '../events/playbook.ts';
import { rejectionReasons } from '../events/rejected.ts';
import { corpusSchema, documentIdSchema, metadataSchema, sequenceSchema, sha256Schema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';

export const lookupLimits = { pageMax: 1_000, pageDefault: 100, cursorCharactersMax: 2_048 } as const;

/** Where a page begins and how long it is. A cursor is what the page before told; left out, the first page is meant. */
export const pageQuerySchema = z.strictObject({
  cursor: z
    .string()
    .max(lookupLimits.cursorCharactersMax)
    .regex(/^[A-Za-z0-9_-]+$/, { message: 'must be the next_cursor of the page before' })
    .optional(),
  limit: z.coerce.number().int().min(1).max(lookupLimits.pageMax).default(lookupLimits.pageDefault),
});

/** What follows the last row of a page. Undefined where the page was the last. */
export function encodeCursor(lastId: string): string {
  return Buffer.from(lastId, 'utf8').toString('base64url');
}

export function decodeCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString('utf8');
}

const nextCursorSchema = z.string().nullable();

export const documentQuerySchema = z.strictObject({ version: z.coerce.number().int().positive().optional() });

/** `svc.index.document`. `version` is the INGEST sequence that a producer was told, to learn what became of that event. */
export const documentRequestSchema = documentQuerySchema.extend({ corpus: corpusSchema, id: documentIdSchema });

/**
 * How far along the pipeline what was said last is: `accepted` in the log, `ingested` folded into the document's state,
 * `embedded` with its vector in the log, `searchable` in the index that answered, `rejected` set aside with a reason.
 */
export const documentStages = ['accepted', 'ingested', 'embedded', 'searchable', 'rejected'] as const;
export type DocumentStage = (typeof documentStages)[number];

/**
 * `alive`: has content. `deleted`: a tombstone. `metadata_only`: only metadata was ever said of it. `unknown`: nothing of
 * it was taken (yet).
 */
export const documentStates = ['alive', 'deleted', 'metadata_only', 'unknown'] as const;

const rejectionSchema = z.strictObject({
  version: sequenceSchema,
  reason: z.enum(rejectionReasons),
  message: z.string(),
});

/** The state of one document, register by register. Versions are INGEST sequences, 0 where nobody has spoken. */
export const documentReplySchema = z.strictObject({
  corpus: corpusSchema,
  id: documentIdSchema,
  state: z.enum(documentStates),
  stage: z.enum(documentStages),
  version: sequenceSchema,
  content: z.strictObject({
    version: sequenceSchema,
    hash: sha256Schema.nullable(),
    space: spaceSchema.nullable(),
    text: z.string().nullable(),
    /** Whether the embedder cut the text; null until it is embedded. */
    truncated: z.boolean().nullable(),
  }),
  metadata: z.strictObject({ version: sequenceSchema, value: metadataSchema.nullable() }),
  /** The newest rejection of an event that spoke of it, where that is newer than the state. */
  rejected: rejectionSchema.nullable(),
});
export type DocumentReply = z.output<typeof documentReplySchema>;

/** `svc.index.documents`: the living documents of a corpus, by id in the order of UTF-8 bytes. */
export const documentsRequestSchema = pageQuerySchema.extend({ corpus: corpusSchema });

export const documentsReplySchema = z.strictObject({
  documents: z.array(
    z.strictObject({
      id: documentIdSchema,
      space: spaceSchema,
      content: z.strictObject({ version: sequenceSchema, hash: sha256Schema }),
      metadata: z.strictObject({ version: sequenceSchema, value: metadataSchema.nullable() }),
    }),
  ),
  next_cursor: nextCursorSchema,
});

/**
 * What a playbook has done: answers among the results of logged searches whose distance it decided, brought nearer
 * (`boosted`) or brought in (`injected`).
 */
const liftedSchema = z.strictObject({ boosted: z.number().int(), injected: z.number().int() });

/** What lifts were counted from: the searches logged since then, of which `sample` (0 to 1) are logged. */
const countedSchema = z.strictObject({ since: z.string().nullable(), sample: z.number() });

const playbookRowSchema = z.strictObject({
  playbook_id: playbookIdSchema,
  space: spaceSchema,
  /** The PLAYBOOKS sequence that spoke last. */
  version: sequenceSchema,
  entry: playbookEntrySchema,
  lifted: liftedSchema,
});

/** `svc.index.playbooks`: what is remembered in a playbook corpus, by id. */
export const playbooksRequestSchema = pageQuerySchema.extend({ corpus: corpusSchema });
export const playbooksReplySchema = z.strictObject({
  playbooks: z.array(playbookRowSchema),
  next_cursor: nextCursorSchema,
  counted: countedSchema,
});

/** `svc.index.playbook`. */
export const playbookRequestSchema = z.strictObject({ corpus: corpusSchema, id: playbookIdSchema });
export const playbookReplySchema = playbookRowSchema.extend({
  corpus: corpusSchema,
  state: z.enum(['recorded', 'retracted']),
  /** Null where it is retracted. */
  entry: playbookEntrySchema.nullable(),
  /** When what was said last was stored. */
  said_at: z.string().nullable(),
  counted: countedSchema,
});
export type PlaybookReply = z.output<typeof playbookReplySchema>;
