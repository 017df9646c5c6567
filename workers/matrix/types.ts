import type { MetadataPredicate } from '../metadata-filter/metadata-filter.ts';
import type { Ranks } from './fuse.ts';

/** A document that retrieval found. `distance` is finite and smaller is nearer; `metadataJson` is JSON text. */
export interface Candidate {
  readonly id: string;
  readonly corpus: string;
  readonly distance: number;
  readonly metadataJson: string | null;
  /** Only the beginning of its text was embedded. Ranking does not look at it. */
  readonly truncated?: boolean;
  /** Where words counted in retrieval: what it is ordered by, ascending, in place of its distance, and what that came from. */
  readonly fused?: FusedPlace | undefined;
}

export interface FusedPlace {
  readonly order: number;
  readonly ranks: Ranks;
  /** 0 to 1. */
  readonly lexicalScore: number;
}

/** What one searched corpus gave back. Every searched corpus is present, once, also one that gave nothing. */
export interface CorpusHits {
  readonly corpus: string;
  readonly hits: readonly Candidate[];
}

/** The fields of a recorded playbook that ranking needs, spelled as they are logged. */
export interface PlaybookEntry {
  readonly answer_id: string;
  readonly answer_corpus: string;
  readonly score: number;
  readonly role?: string | null | undefined;
}

/** A playbook whose recorded query lies `distance` from the query asked now. */
export interface PlaybookHit {
  readonly playbookId: string;
  readonly distance: number;
  readonly entry: PlaybookEntry;
}

/** Finds a living document; `undefined` where it was deleted or never seen. */
export type Lookup = (corpus: string, id: string) => { readonly metadataJson: string | null } | undefined;

export interface RankInput {
  readonly perCorpus: readonly CorpusHits[];
  /** Ignored unless `usePlaybook`. None is a cold start, not an error. */
  readonly playbookHits: readonly PlaybookHit[];
  /** How many results come back at most: a whole number, 0 or more. */
  readonly k: number;
  /** Ids refused in every corpus. */
  readonly excludeIds: ReadonlySet<string>;
  /** Leave out where the request has none. */
  readonly filter?: MetadataPredicate | undefined;
  /**
   * Given where retrieval applied `filter` itself: how many candidates it refused. They are then not asked again;
   * answers to inject still are.
   */
  readonly droppedInRetrieval?: number | undefined;
  /** Empty: the role gate stands open. */
  readonly queryRole: string;
  readonly usePlaybook: boolean;
  /** Playbooks beyond this distance do nothing (0.5 where left out). Inclusive. */
  readonly maxDistance?: number | undefined;
  /** Playbooks beyond this distance bring in nothing (0.20 where left out). Inclusive. */
  readonly maxInjectDistance?: number | undefined;
  /** Part of a distance that a playbook of score 1 takes away (0.5 where left out). */
  readonly boostStrength?: number | undefined;
  readonly lookup: Lookup;
}

/** One answer, with what explains its place. A reply shows id, distance, corpus and metadata. */
export interface RankedResult extends Candidate {
  readonly origin: 'retrieved' | 'injected';
  /** What it is sorted by, ascending, in place of its distance: the order of `fused` times the factor. */
  readonly order?: number | undefined;
  /** Before the factor: the document's own distance, or for an injected answer that of the playbook's query. */
  readonly baseDistance: number;
  /** 1 where no playbook acted. */
  readonly factor: number;
  /** Playbooks that passed every gate for this answer, the one that decided first. */
  readonly playbookIds: readonly string[];
}

/**
 * Why a playbook did nothing. `distance` and `role` are asked first and end the matter; the others concern answers
 * that retrieval did not leave among the results.
 *
 * - `distance`: its query is beyond `maxDistance`
 * - `role`: recorded for another role
 * - `excluded`: its answer is excluded by the request
 * - `corpus`: its answer lies in a corpus that was not searched
 * - `filter`: its answer does not pass the metadata filter
 * - `deleted`: its answer is deleted or was never there
 * - `inject_distance`: its answer was not retrieved and its query is beyond `maxInjectDistance`
 * - `judge`: the judge refused its answer, or could not be asked
 */
export type SuppressionGate =
  | 'distance'
  | 'role'
  | 'excluded'
  | 'corpus'
  | 'filter'
  | 'deleted'
  | 'inject_distance'
  | 'judge';

export interface SuppressedHit {
  readonly playbookId: string;
  readonly answerId: string;
  readonly answerCorpus: string;
  readonly distance: number;
  readonly gate: SuppressionGate;
}

export interface Ranking {
  /** Ascending by order (distance, where retrieval was by vector), then corpus, then id (by code unit); at most k. */
  readonly results: RankedResult[];
  /** What each searched corpus gave back, before anything was dropped. */
  readonly perCorpusCounts: Readonly<Record<string, number>>;
  /** Candidates that the metadata filter refused; refused injections are in `suppressed` instead. */
  readonly metadataFilterDropped: number;
  /** Retrieved results to which a factor below 1 was applied, counted before the cut to k. */
  readonly boosted: number;
  /** Answers brought in, after every gate, counted before the cut to k. */
  readonly injected: number;
  /** Playbooks that did nothing. Empty where playbooks were not used. */
  readonly suppressed: SuppressedHit[];
}
