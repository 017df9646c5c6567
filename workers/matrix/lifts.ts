import { applyBoost, boostFactor } from './boost.ts';
import { playbookDistanceMaxDefault, playbookInjectDistanceMaxDefault } from './limits.ts';
import { compileRoleGate } from './role.ts';
import type { PlaybookHit, RankedResult, RankInput, SuppressedHit, SuppressionGate } from './types.ts';

/** The playbooks that speak for one answer, past the gates of distance and role, the strongest first. */
export interface Lift {
  readonly answerId: string;
  readonly answerCorpus: string;
  readonly hits: PlaybookHit[];
  /** What retrieval knew of the answer before anything was dropped. */
  retrieval: 'absent' | 'kept' | 'filtered';
}

/** Lifts by answer id; ids repeat across corpora, so each id has a list, nearly always of one. */
export type Lifts = ReadonlyMap<string, readonly Lift[]>;

/** An answer that may come in, and the playbooks that bring it. */
export interface Injection {
  readonly result: RankedResult;
  readonly hits: readonly PlaybookHit[];
}

const noLifts: Lifts = new Map();

/** Asks the gates of distance and role and groups what is left by answer. Refusals are added to `suppressed`. */
export function gatherLifts(input: RankInput, suppressed: SuppressedHit[]): Lifts {
  if (!input.usePlaybook || input.playbookHits.length === 0) return noLifts;
  const distanceMax = input.maxDistance ?? playbookDistanceMaxDefault;
  const roleAgrees = compileRoleGate(input.queryRole);
  const lifts = new Map<string, Lift[]>();
  for (const hit of input.playbookHits) {
    if (!(hit.distance <= distanceMax)) suppress(suppressed, hit, 'distance');
    else if (!roleAgrees(hit.entry.role)) suppress(suppressed, hit, 'role');
    else addHit(lifts, hit);
  }
  for (const sameId of lifts.values()) for (const lift of sameId) lift.hits.sort(byBoost);
  return lifts;
}

/** The lift of exactly this document: the same id in another corpus is another document. */
export function findLift(lifts: Lifts, corpus: string, id: string): Lift | undefined {
  const sameId = lifts.get(id);
  if (sameId === undefined) return undefined;
  for (const lift of sameId) if (lift.answerCorpus === corpus) return lift;
  return undefined;
}

/** The factor of the strongest playbook: boosts do not add up. */
export function liftFactor(lift: Lift, strength?: number): number {
  return boostFactor(lift.hits[0]?.entry.score ?? 0, strength);
}

/**
 * The answers that playbooks bring in: not retrieved, not excluded, of a searched corpus, alive, passing the filter,
 * recorded for a query within the injection distance; one for each answer, at the lowest `hit distance * factor`.
 * Refusals are added to `suppressed`.
 */
export function gatherInjections(input: RankInput, lifts: Lifts, suppressed: SuppressedHit[]): Injection[] {
  const injections: Injection[] = [];
  for (const sameId of lifts.values()) {
    for (const lift of sameId) {
      if (lift.retrieval === 'kept') continue;
      const injection = injectionOf(input, lift, suppressed);
      if (injection !== undefined) injections.push(injection);
    }
  }
  return injections;
}

/** Notes that a playbook did nothing, and why. */
export function suppress(suppressed: SuppressedHit[], hit: PlaybookHit, gate: SuppressionGate): void {
  const { playbookId, distance, entry } = hit;
  suppressed.push({ playbookId, answerId: entry.answer_id, answerCorpus: entry.answer_corpus, distance, gate });
}

/** The ids of `hits` in their order, each once. */
export function idsOf(hits: readonly PlaybookHit[]): string[] {
  return [...new Set(hits.map((hit) => hit.playbookId))];
}

function addHit(lifts: Map<string, Lift[]>, hit: PlaybookHit): void {
  const { answer_id: answerId, answer_corpus: answerCorpus } = hit.entry;
  const lift = findLift(lifts, answerCorpus, answerId);
  if (lift !== undefined) {
    lift.hits.push(hit);
    return;
  }
  const created: Lift = { answerId, answerCorpus, hits: [hit], retrieval: 'absent' };
  const sameId = lifts.get(answerId);
  if (sameId === undefined) lifts.set(answerId, [created]);
  else sameId.push(created);
}

function injectionOf(input: RankInput, lift: Lift, suppressed: SuppressedHit[]): Injection | undefined {
  const document = input.lookup(lift.answerCorpus, lift.answerId);
  const refusal = answerRefusal(input, lift, document);
  if (refusal !== undefined) {
    for (const hit of lift.hits) suppress(suppressed, hit, refusal);
    return undefined;
  }
  const distanceMax = input.maxInjectDistance ?? playbookInjectDistanceMaxDefault;
  const hits: PlaybookHit[] = [];
  for (const hit of lift.hits) {
    if (hit.distance <= distanceMax) hits.push(hit);
    else suppress(suppressed, hit, 'inject_distance');
  }
  const factorOf = (hit: PlaybookHit) => boostFactor(hit.entry.score, input.boostStrength);
  const distanceOf = (hit: PlaybookHit) => applyBoost(hit.distance, factorOf(hit));
  const nearest = hits.sort((left, right) => distanceOf(left) - distanceOf(right) || byId(left, right))[0];
  if (nearest === undefined) return undefined;
  const result: RankedResult = {
    id: lift.answerId,
    corpus: lift.answerCorpus,
    distance: distanceOf(nearest),
    metadataJson: document?.metadataJson ?? null,
    origin: 'injected',
    baseDistance: nearest.distance,
    factor: factorOf(nearest),
    playbookIds: idsOf(hits),
  };
  return { result, hits };
}

function answerRefusal(
  input: RankInput,
  lift: Lift,
  document: ReturnType<RankInput['lookup']>,
): SuppressionGate | undefined {
  if (input.excludeIds.has(lift.answerId)) return 'excluded';
  if (!input.perCorpus.some(({ corpus }) => corpus === lift.answerCorpus)) return 'corpus';
  if (lift.retrieval === 'filtered') return 'filter';
  if (document === undefined) return 'deleted';
  if (input.filter !== undefined && !input.filter(document.metadataJson)) return 'filter';
  return undefined;
}

/** Lowest factor first; equal ones by nearness, then by id, so that the order of the hits decides nothing. */
function byBoost(left: PlaybookHit, right: PlaybookHit): number {
  const byFactor = boostFactor(left.entry.score) - boostFactor(right.entry.score);
  return byFactor || left.distance - right.distance || byId(left, right);
}

function byId(left: PlaybookHit, right: PlaybookHit): number {
  if (left.playbookId === right.playbookId) return 0;
  return left.playbookId < right.playbookId ? -1 : 1;
}
