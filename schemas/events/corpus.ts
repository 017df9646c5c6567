import { z } from 'zod';
import { corpusSchema, sequenceSchema } from '../primitives.ts';
import { spaceSchema } from '../space.ts';

/** Bounds of what a declaration may ask of a graph. */
export const declarationLimits = { mMin: 2, mMax: 128, efSearchMax: 4_096 } as const;

/** What a corpus is declared to be. Parameters that are null are the system's own. */
export const corpusDeclarationSchema = z.strictObject({
  space: spaceSchema,
  distance: z.enum(['cosine', 'euclidean']).default('cosine'),
  /** Links of a document in the graph, per layer. */
  m: z.number().int().min(declarationLimits.mMin).max(declarationLimits.mMax).nullable().default(null),
  /** Candidates kept while the graph is searched. */
  ef_search: z.number().int().min(1).max(declarationLimits.efSearchMax).nullable().default(null),
});
export type CorpusDeclaration = z.output<typeof corpusDeclarationSchema>;

/**
 * What is said of a corpus on `corpora.<corpus>`, in one order with its documents: it is declared, or dropped. Nothing of
 * the corpus that was said before a drop lives.
 */
export const corpusChangeSchema = z.union(
  [z.strictObject({ declared: corpusDeclarationSchema }), z.strictObject({ dropped: z.literal(true) })],
  { error: 'must be {"declared": {"space": ...}} or {"dropped": true}' },
);
export type CorpusChange = z.output<typeof corpusChangeSchema>;

/**
 * What was said of a corpus, oldest first: a declaration, or null for a drop. `version` is the INGEST sequence that spoke.
 * All of the newest ones are here, and in any case the newest drop, so that what held at an earlier sequence is known too.
 */
export const corpusStateSchema = z.strictObject({
  corpus: corpusSchema,
  said: z.array(z.strictObject({ version: sequenceSchema, declared: corpusDeclarationSchema.nullable() })).min(1),
});
export type CorpusState = z.output<typeof corpusStateSchema>;
