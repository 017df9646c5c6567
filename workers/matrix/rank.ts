import { applyBoost } from './boost.ts';
import {
  findLift,
  gatherInjections,
  gatherLifts,
  type Injection,
  idsOf,
  type Lifts,
  liftFactor,
  suppress,
} from './lifts.ts';
import type { Candidate, RankedResult, RankInput, Ranking, SuppressedHit } from './types.ts';

/** Says whether an answer may be brought in. A rejection of the promise is a no. */
export type ApproveInjection = (candidate: Candidate) => Promise<boolean>;

interface Draft {
  readonly results: RankedResult[];
  readonly injections: readonly Injection[];
  readonly suppressed: SuppressedHit[];
  readonly metadataFilterDropped: number;
  readonly boosted: number;
}

const noPlaybooks: readonly string[] = [];

/**
 * Ranks what retrieval found: merge, exclude, metadata filter, playbook boost and inject behind their gates, sort,
 * cut to k. Pure; the input is left as it was. There is one sort, at the end, since no step before it looks at order.
 *
 * Choices where the original system left one open:
 * - An answer is injected only if retrieval did not find it at all. One that was found and then excluded or refused
 *   by the filter does not come back, and neither does one that the filter would have refused.
 * - An answer in a corpus that the request did not name is not injected: the caller asked for those corpora.
 * - An injected answer carries its metadata, so that the caller sees who it is.
 * - Score 0 has factor 1: on a retrieved result nothing is changed or counted, though the playbook is named; an
 *   absent answer is still brought in, at the distance of the recorded query.
 * - Boosts do not add up: of several playbooks for one answer the highest score counts.
 * - Where words counted in retrieval, the factor acts on the order as on the distance, and an injected answer is placed by
 *   its distance: a recorded query that is nearly the one asked is as good as a text that has all of its words.
 */
export function rank(input: RankInput): Ranking {
  const draft = draftRanking(input);
  return finishRanking(input, draft, draft.injections);
}

/** `rank` with a judge before injections only, asked for all of them at once. What fails is refused. */
export async function rankWithJudge(input: RankInput, approve: ApproveInjection): Promise<Ranking> {
  const draft = draftRanking(input);
  const verdicts = await Promise.all(draft.injections.map(({ result }) => failClosed(approve, result)));
  const approved: Injection[] = [];
  draft.injections.forEach((injection, position) => {
    if (verdicts[position] === true) approved.push(injection);
    else for (const hit of injection.hits) suppress(draft.suppressed, hit, 'judge');
  });
  return finishRanking(input, draft, approved);
}

async function failClosed(approve: ApproveInjection, candidate: Candidate): Promise<boolean> {
  try {
    return await approve(candidate);
  } catch {
    return false;
  }
}

function draftRanking(input: RankInput): Draft {
  const suppressed: SuppressedHit[] = [];
  const lifts = gatherLifts(input, suppressed);
  const filter = input.droppedInRetrieval === undefined ? input.filter : undefined;
  const results: RankedResult[] = [];
  let metadataFilterDropped = input.droppedInRetrieval ?? 0;
  let boosted = 0;
  for (const { hits } of input.perCorpus) {
    for (const candidate of hits) {
      if (input.excludeIds.has(candidate.id)) continue;
      if (filter !== undefined && !filter(candidate.metadataJson)) {
        metadataFilterDropped += 1;
        markFiltered(lifts, candidate);
        continue;
      }
      const result = liftCandidate(lifts, candidate, input.boostStrength);
      if (result.factor < 1) boosted += 1;
      results.push(result);
    }
  }
  const injections = gatherInjections(input, lifts, suppressed);
  return { results, injections, suppressed, metadataFilterDropped, boosted };
}

function markFiltered(lifts: Lifts, candidate: Candidate): void {
  const lift = findLift(lifts, candidate.corpus, candidate.id);
  if (lift !== undefined) lift.retrieval = 'filtered';
}

function liftCandidate(lifts: Lifts, candidate: Candidate, strength: number | undefined): RankedResult {
  const { id, corpus, distance: baseDistance, metadataJson, fused } = candidate;
  const lift = lifts.size === 0 ? undefined : findLift(lifts, corpus, id);
  let factor = 1;
  let playbookIds = noPlaybooks;
  if (lift !== undefined) {
    lift.retrieval = 'kept';
    factor = liftFactor(lift, strength);
    playbookIds = idsOf(lift.hits);
  }
  const distance = applyBoost(baseDistance, factor);
  const order = fused === undefined ? undefined : applyBoost(fused.order, factor);
  return { id, corpus, distance, metadataJson, fused, order, origin: 'retrieved', baseDistance, factor, playbookIds };
}

function finishRanking(input: RankInput, draft: Draft, injections: readonly Injection[]): Ranking {
  const { results, suppressed, metadataFilterDropped, boosted } = draft;
  for (const { result } of injections) results.push(result);
  // What one corpus gave and nothing lifted mostly is in order.
  if (!isOrdered(results)) results.sort(byOrder);
  if (results.length > input.k) results.length = input.k;
  const perCorpusCounts = Object.fromEntries(input.perCorpus.map(({ corpus, hits }) => [corpus, hits.length]));
  return { results, perCorpusCounts, metadataFilterDropped, boosted, injected: injections.length, suppressed };
}

function isOrdered(results: readonly RankedResult[]): boolean {
  return results.every((result, place) => {
    const before = results[place - 1];
    return before === undefined || byOrder(before, result) <= 0;
  });
}

/** Ties by corpus, then id: equal ones must not come back in another order from another worker. */
function byOrder(left: RankedResult, right: RankedResult): number {
  const [one, other] = [left.order ?? left.distance, right.order ?? right.distance];
  if (one !== other) return one - other;
  if (left.corpus !== right.corpus) return left.corpus < right.corpus ? -1 : 1;
  if (left.id === right.id) return 0;
  return left.id < right.id ? -1 : 1;
}
