import { isDeepStrictEqual } from 'node:util';
import type { DigestReply, IndexInfo } from '../../schemas/requests/index.ts';
import type { SearchReply } from '../../schemas/requests/matrix.ts';

/** Something that the demo says of the system, held against what was answered. */
export interface Claim {
  readonly claim: string;
  readonly holds: boolean;
  /** What was seen, in figures. */
  readonly seen: string;
}

export type Result = SearchReply['results'][number];

export function resultOf(reply: SearchReply, id: string): Result | undefined {
  return reply.results.find((result) => result.id === id);
}

/** 1 for the first; undefined where it is not among the results. */
export function rankOf(reply: SearchReply, id: string): number | undefined {
  const at = reply.results.findIndex((result) => result.id === id);
  return at < 0 ? undefined : at + 1;
}

export function allSearchable(count: number, accepted: number, searchable: number): Claim {
  return {
    claim: `${count} workers are in the log and can be found`,
    holds: accepted === count && searchable === count,
    seen: `${accepted} appended, ${searchable} searchable`,
  };
}

/** The query says "Operators", no document does: most of the nearest are forklift operators nevertheless. */
export function foundByMeaning(reply: SearchReply, role: string, ofNearest: number): Claim {
  const nearest = reply.results.slice(0, ofNearest);
  const matching = nearest.filter(({ metadata }) => metadata?.role === role).length;
  return {
    claim: `of the ${ofNearest} nearest workers most are a ${role}`,
    holds: matching > ofNearest / 2,
    seen: `${matching} of ${nearest.length}`,
  };
}

export function recordedAs(playbookId: string, expected: string): Claim {
  return {
    claim: `the playbook's id follows from query and answer: ${expected}`,
    holds: playbookId === expected,
    seen: playbookId,
  };
}

/** A score of 1 halves the distance; to four decimals, as float32 distances have about seven digits. */
export function halvedDistance(cold: Result | undefined, warm: Result | undefined): Claim {
  const expected = (cold?.distance ?? Number.NaN) / 2;
  return {
    claim: 'the recorded answer is half as far away as before',
    holds: Math.abs((warm?.distance ?? Number.NaN) - expected) < 0.00005,
    seen: `${cold?.distance.toFixed(4)} before, ${warm?.distance.toFixed(4)} now, ${expected.toFixed(4)} expected`,
  };
}

export function liftsAre(reply: SearchReply, boosted: number, injected: number): Claim {
  return {
    claim: `boosted ${boosted}, injected ${injected}`,
    holds: reply.boosted === boosted && reply.injected === injected,
    seen: `boosted ${reply.boosted}, injected ${reply.injected}`,
  };
}

export function wouldBeLifted(reply: SearchReply): Claim {
  return {
    claim: 'without saying which role is asked for, the recording would reach this query',
    holds: reply.boosted >= 1,
    seen: `boosted ${reply.boosted}`,
  };
}

export function sameResults(one: SearchReply, other: SearchReply, claim: string): Claim {
  const differing = one.results.filter((result, at) => !isDeepStrictEqual(result, other.results[at])).length;
  return {
    claim,
    holds: isDeepStrictEqual(one.results, other.results),
    seen:
      one.results.length === other.results.length
        ? `${differing} of ${one.results.length} results differ`
        : `${one.results.length} and ${other.results.length} results`,
  };
}

/** The digest of a corpus' documents in the live index; undefined where it has none. */
export function digestOf(reply: DigestReply, corpus: string): string | undefined {
  return reply.indexes.find((one) => one.corpus === corpus && one.kind === 'documents')?.digest;
}

export function sameDigest(before: string | undefined, after: string | undefined): Claim {
  const short = (digest: string | undefined) => digest?.slice(0, 16) ?? 'none';
  return {
    claim: 'the index that was rebuilt from the log has the digest of the one that it replaced',
    holds: before !== undefined && before === after,
    seen: `${short(before)} before, ${short(after)} after`,
  };
}

export function rebuildSucceeded(exitCode: number): Claim {
  return {
    claim: 'it was rebuilt beside the live one, and compared with it',
    holds: exitCode === 0,
    seen: `exit code ${exitCode}`,
  };
}

/** The run that built the live index of a corpus' documents; undefined where it was folded as events came. */
export function builtBy(info: IndexInfo, corpus: string): string | undefined {
  const live = info.indexes.find((one) => one.corpus === corpus && one.kind === 'documents' && one.side === null);
  return live?.rebuilt_by ?? undefined;
}

export function switchedIndex(before: string | undefined, after: string | undefined): Claim {
  return {
    claim: 'the rebuilt index is the one that answers now',
    holds: after !== undefined && after !== before,
    seen: `built by ${after === undefined ? 'no rebuild' : `run ${after}`}`,
  };
}
