import type { RetrievalMode } from '../../schemas/requests/explain.ts';
import type { SearchRequest } from '../../schemas/requests/matrix.ts';
import type { IndexCatalogue, IndexEntry } from '../corpus-index/catalogue.ts';
import type { Query } from '../corpus-index/corpus-index.ts';
import type { LexicalIndex } from '../lexical/lexical-index.ts';
import { type Evidence, type FusionParameters, fuse } from '../matrix/fuse.ts';
import type { Candidate, CorpusHits, PlaybookEntry, PlaybookHit, RankInput } from '../matrix/types.ts';
import type { CompiledFilter } from '../metadata-filter/metadata-filter.ts';

/** How candidates are found where their words count. */
export interface HybridParameters extends FusionParameters {
  /** Candidates that each of the two searches brings from each corpus, at least. */
  readonly candidates: number;
}

export interface Retrieval {
  readonly wanted: SearchRequest;
  readonly filter: CompiledFilter | undefined;
  readonly mode: RetrievalMode;
  /** Undefined only where words alone are asked for, and no playbook. */
  readonly vector: ArrayLike<number> | Query | undefined;
  readonly space: string;
  readonly entries: readonly IndexEntry[];
  /** By corpus; empty for `vector`. */
  readonly words: ReadonlyMap<string, LexicalIndex>;
  readonly hybrid: HybridParameters;
  readonly catalogue: IndexCatalogue;
  /** Playbooks that are passed over, as if they had been taken back. */
  readonly withoutPlaybooks?: readonly string[] | undefined;
}

/** What the corpora gave, and how many candidates the filter refused on the way. */
interface Found {
  readonly perCorpus: CorpusHits[];
  readonly refused: number;
}

const nobody: ReadonlySet<string> = new Set();

/** Asks every corpus for its best, and the playbooks of the same space for recordings near the query. */
export function retrieve(retrieval: Retrieval): RankInput {
  const { wanted, filter, entries } = retrieval;
  const { perCorpus, refused } = findAll(retrieval);
  return {
    perCorpus,
    k: wanted.k,
    playbookHits: wanted.use_playbook ? playbookHits(retrieval) : [],
    excludeIds: wanted.exclude_ids === undefined ? nobody : new Set(wanted.exclude_ids),
    filter: filter?.admits,
    droppedInRetrieval: refused,
    queryRole: wanted.query_role,
    usePlaybook: wanted.use_playbook,
    maxDistance: wanted.playbook_max_distance,
    maxInjectDistance: wanted.playbook_max_inject_distance,
    lookup: (corpus, id) => livingDocument(entries, corpus, id),
  };
}

function findAll(retrieval: Retrieval): Found {
  const { mode, vector, wanted } = retrieval;
  const depth = Math.max(wanted.k, wanted.per_corpus_k ?? wanted.k);
  if (mode === 'lexical' || vector === undefined) return findByWords(retrieval, depth);
  return mode === 'hybrid' ? findByBoth(retrieval, vector, depth) : findByVector(retrieval, vector, depth);
}

function findByVector({ wanted, filter, entries }: Retrieval, vector: ArrayLike<number> | Query, depth: number): Found {
  const within = { filter, excludeIds: wanted.exclude_ids };
  let refused = 0;
  const perCorpus = entries.map(({ corpus, index }) => {
    const found = index.searchWithin(vector, depth, within);
    refused += found.refused;
    const hits = found.hits.map(({ id, distance, slot }) => ({
      id,
      corpus,
      distance,
      metadataJson: index.metadataJson(slot),
    }));
    return { corpus, hits };
  });
  return { perCorpus, refused };
}

/** By words alone, a distance is what the text misses of the most that a text could score: 0 to 1. */
function findByWords(retrieval: Retrieval, depth: number): Found {
  const { entries, wanted, words } = retrieval;
  let refused = 0;
  const found = entries.flatMap((entry) => {
    const accepting = acceptance(entry, retrieval);
    const best =
      words
        .get(entry.corpus)
        ?.score(wanted.query_text ?? '')
        .best(depth, accepting.accept) ?? [];
    refused += accepting.refused();
    return best.map(({ id, score }) => ({ ...candidateOf(entry, id, 1 - score), lexicalScore: score }));
  });
  const fused = fuse(found, () => ({ vector: false, lexical: true }), wordsAlone);
  return { perCorpus: cutPerCorpus(fused, entries, depth), refused };
}

const wordsAlone: FusionParameters = { method: 'scores', vectorWeight: 0, lexicalWeight: 1, rankConstant: 0 };

interface FoundByBoth extends Candidate, Evidence {
  readonly by: { readonly vector: boolean; readonly lexical: boolean };
}

function findByBoth(retrieval: Retrieval, vector: ArrayLike<number> | Query, depth: number): Found {
  const { entries, hybrid } = retrieval;
  const { perCorpus, refused } = findByVector(retrieval, vector, Math.max(depth, hybrid.candidates));
  const found = perCorpus.flatMap(({ hits }, at) => {
    const entry = entries[at];
    return entry === undefined ? [] : joinWords(entry, hits, vector, retrieval, Math.max(depth, hybrid.candidates));
  });
  const fused = fuse(found, ({ by }) => by, hybrid);
  return { perCorpus: cutPerCorpus(fused, entries, depth), refused };
}

/** The nearest of a corpus with what their words score, and with those that only their words bring. */
function joinWords(
  entry: IndexEntry,
  nearest: readonly Candidate[],
  vector: ArrayLike<number> | Query,
  retrieval: Retrieval,
  depth: number,
): FoundByBoth[] {
  const scores = retrieval.words.get(entry.corpus)?.score(retrieval.wanted.query_text ?? '');
  const best = scores?.best(depth, acceptance(entry, retrieval).accept) ?? [];
  const brought = new Set(best.map(({ id }) => id));
  const near = new Set(nearest.map(({ id }) => id));
  const others = best.filter(({ id }) => !near.has(id));
  const distances = entry.index.distances(
    vector,
    others.map(({ id }) => id),
  );
  return [
    ...nearest.map((candidate) => ({
      ...candidate,
      lexicalScore: scores?.of(candidate.id) ?? 0,
      by: { vector: true, lexical: brought.has(candidate.id) },
    })),
    ...others.map(({ id, score }, at) => ({
      ...candidateOf(entry, id, distances[at] ?? 0),
      lexicalScore: score,
      by: { vector: false, lexical: true },
    })),
  ];
}

function candidateOf({ corpus, index }: IndexEntry, id: string, distance: number): Candidate {
  return { id, corpus, distance, metadataJson: index.lookup(id)?.metadata.json ?? null };
}

/** What retrieval by words may find: the living that are not excluded and that the filter admits. */
function acceptance({ index }: IndexEntry, { wanted, filter }: Retrieval) {
  const excluded = new Set(wanted.exclude_ids);
  let refused = 0;
  const accept = (id: string): boolean => {
    if (excluded.has(id) || !index.has(id)) return false;
    if (filter === undefined || filter.admits(index.lookup(id)?.metadata.json ?? null)) return true;
    refused++;
    return false;
  };
  return { accept, refused: () => refused };
}

type FusedCandidate = ReturnType<typeof fuse<Candidate & Evidence>>[number];

/** Of each corpus the first `depth`, as candidates that are ranked by their order. */
function cutPerCorpus(found: readonly FusedCandidate[], entries: readonly IndexEntry[], depth: number): CorpusHits[] {
  return entries.map(({ corpus }) => ({
    corpus,
    hits: found
      .filter((candidate) => candidate.corpus === corpus)
      .sort((one, other) => one.order - other.order || (one.id < other.id ? -1 : 1))
      .slice(0, depth)
      .map(({ id, distance, metadataJson, order, ranks, lexicalScore }) => ({
        id,
        corpus,
        distance,
        metadataJson,
        fused: { order, ranks, lexicalScore },
      })),
  }));
}

function livingDocument(entries: readonly IndexEntry[], corpus: string, id: string): ReturnType<RankInput['lookup']> {
  const index = entries.find((entry) => entry.corpus === corpus)?.index;
  return index?.has(id) ? { metadataJson: index.lookup(id)?.metadata.json ?? null } : undefined;
}

/** A playbook corpus that is not there yet is a cold start, not an error. */
function playbookHits({ wanted, vector, space, catalogue, withoutPlaybooks }: Retrieval): PlaybookHit[] {
  const side = wanted.index ?? null;
  const index = catalogue.get({ kind: 'playbooks', corpus: wanted.playbook_corpus, space, side });
  if (index === undefined || vector === undefined) return [];
  const found =
    withoutPlaybooks === undefined
      ? index.search(vector, wanted.playbook_top_k)
      : index.searchWithin(vector, wanted.playbook_top_k, { excludeIds: withoutPlaybooks }).hits;
  return found.map(({ id, distance, slot }) => ({
    playbookId: id,
    distance,
    // Written by this system's own playbook worker and checked when it was folded.
    entry: JSON.parse(index.metadataJson(slot) ?? '{}') as PlaybookEntry,
  }));
}
