import type { Candidate, CorpusHits, PlaybookHit, RankInput, Ranking } from './types.ts';

/** Inputs for tests, short enough to read in a given-when-then line. */

export function candidate(corpus: string, id: string, distance: number, metadata?: object): Candidate {
  return { id, corpus, distance, metadataJson: metadata === undefined ? null : JSON.stringify(metadata) };
}

export function corpusHits(corpus: string, ...hits: readonly (readonly [id: string, distance: number])[]): CorpusHits {
  return { corpus, hits: hits.map(([id, distance]) => candidate(corpus, id, distance)) };
}

interface HitOptions {
  readonly corpus?: string;
  readonly score?: number;
  readonly role?: string;
  readonly playbookId?: string;
}

export function playbookHit(answerId: string, distance: number, options: HitOptions = {}): PlaybookHit {
  const { corpus = 'workers', score = 1, role, playbookId = `pb-${answerId}` } = options;
  return { playbookId, distance, entry: { answer_id: answerId, answer_corpus: corpus, score, role } };
}

/** A search with playbooks on, in which every answer looked up is alive and has no metadata. */
export function rankInput(input: Partial<RankInput> & Pick<RankInput, 'perCorpus'>): RankInput {
  return {
    playbookHits: [],
    k: 10,
    excludeIds: new Set(),
    queryRole: '',
    usePlaybook: true,
    lookup: () => ({ metadataJson: null }),
    ...input,
  };
}

/** The ids with their distances, in order. */
export function ranked(ranking: Ranking): [string, number][] {
  return ranking.results.map(({ id, distance }) => [id, distance]);
}

/** What refused each suppressed playbook. */
export function gates(ranking: Ranking): [string, string][] {
  return ranking.suppressed.map(({ playbookId, gate }) => [playbookId, gate]);
}
