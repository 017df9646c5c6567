import { z } from 'zod';

/** `POST /v1/ingest/<corpus>`: what was appended, as sequences of INGEST. */
export const ingestReplySchema = z.strictObject({
  accepted: z.number().int(),
  first_seq: z.number().int(),
  last_seq: z.number().int(),
  searchable: z.number().int().optional(),
  rejected: z
    .array(z.strictObject({ id: z.string(), seq: z.number().int(), reason: z.string(), message: z.string() }))
    .optional(),
});
export type IngestReply = z.output<typeof ingestReplySchema>;

export const ingestRowsMax = 10_000;

/** Refused lines and rejected documents that an answer to a stream names; of the others it tells the number. */
export const linesNamedMax = 100;

/** A line of a stream that became no document, and why. */
export const refusedLineSchema = z.strictObject({
  line: z.number().int().positive(),
  id: z.string().optional(),
  reason: z.string(),
});
export type RefusedLine = z.output<typeof refusedLineSchema>;

/**
 * `POST /v1/ingest/<corpus>` of a stream (NDJSON, CSV): good lines are appended, bad ones are told. `accepted` counts
 * documents, `refused` lines; the first hundred refused and the first hundred rejected are named.
 */
export const ingestStreamReplySchema = ingestReplySchema.extend({
  refused: z.number().int(),
  refused_lines: z.array(refusedLineSchema),
});
export type IngestStreamReply = z.output<typeof ingestStreamReplySchema>;

/** How a cell of CSV becomes a value of metadata. `auto`: a number where it is written again exactly as it stood. */
export const cellTypes = ['string', 'number', 'boolean', 'json', 'auto'] as const;
export type CellType = (typeof cellTypes)[number];

/** Which column of CSV becomes what. */
export const csvQuerySchema = z.object({
  /** The column of the id: `id`. */
  id: z.string().min(1).optional(),
  /** The column of the text (`text`), a template such as `{name}: {skills}`, or empty: no text. */
  text: z.string().optional(),
  /** Columns of metadata, comma separated: all that are neither id nor text. */
  metadata: z.string().optional(),
  /** `years:number,active:boolean`; cells of the others stay strings. `auto` for all that are not named. */
  types: z.string().optional(),
  delimiter: z.enum(['comma', 'semicolon', 'tab', 'pipe']).optional(),
});
export type CsvQuery = z.output<typeof csvQuerySchema>;

export const ingestQuerySchema = csvQuerySchema.extend({
  wait: z.literal('searchable', { message: 'must be "searchable", or left out' }).optional(),
  /** Of a stream that goes on where another stopped: the number of its first line, for messages and repeatable ids. */
  first_line: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
});
export type IngestQuery = z.output<typeof ingestQuerySchema>;
