import type { StreamName } from '../../schemas/catalog.ts';

/** One stage: a stream, and whoever works on it. */
export interface StageState {
  readonly lastSequence: number;
  /** Every message up to here was worked on. */
  readonly workedTo: number;
  /** Messages that wait or are in work. */
  readonly pending: number;
}

/**
 * How far the pipeline is. It is read from front to back: what a stage has worked off stands in the next stream by the
 * time that one is read.
 */
export interface PipelineState {
  readonly ingest: StageState;
  readonly embed: StageState;
  /** How far the index worker that answers has folded VECTORS; undefined where none answers. */
  readonly vectors: { readonly lastSequence: number; readonly foldedTo: number | undefined };
  /** The fullest stream that refuses when it is full, as a share of its byte limit. */
  readonly fullest: { readonly stream: StreamName; readonly share: number };
}

export interface Watermarks {
  note(state: PipelineState): void;
  /** Every event of INGEST up to here has its vector, or was rejected. Undefined: not known yet. */
  readonly embedded: () => number | undefined;
  /** Every event of INGEST up to here can be found, or was rejected. */
  readonly searchable: () => number | undefined;
}

/** Points remembered of each stage. */
const pointsMax = 256;

/**
 * How far events have come, in sequences of INGEST, though the streams behind it count by themselves and workers finish
 * out of order. Each look pairs how far a stage had worked with where the next stream ended just after: once that end is
 * worked off too, so is all that the stage had worked off then. True at any time, and as fine as looks are frequent.
 */
export function createWatermarks(): Watermarks {
  const ingested = createCrossing();
  const embedded = createCrossing();
  return {
    note: ({ ingest, embed, vectors }) => {
      ingested.pair(ingest.workedTo, embed.lastSequence);
      ingested.reach(embed.workedTo);
      const mark = ingested.passed();
      if (mark !== undefined) embedded.pair(mark, vectors.lastSequence);
      if (vectors.foldedTo !== undefined) embedded.reach(vectors.foldedTo);
    },
    embedded: ingested.passed,
    searchable: embedded.passed,
  };
}

interface Crossing {
  /** What was worked off up to `before` stands in the next stream up to `behind`. */
  pair(before: number, behind: number): void;
  /** The next stream was worked off up to here. */
  reach(sequence: number): void;
  readonly passed: () => number | undefined;
}

interface Point {
  readonly before: number;
  readonly behind: number;
}

function createCrossing(): Crossing {
  let points: Point[] = [];
  /** Events between two points at least: more as they become many, so that they stay spread over all that waits. */
  let gap = 1;
  let newest: Point | undefined;
  let passed: number | undefined;
  return {
    pair: (before, behind) => {
      if (before <= (newest?.before ?? passed ?? -1)) return;
      newest = { before, behind };
      if (before - (points.at(-1)?.before ?? passed ?? 0) < gap) return;
      points.push(newest);
      if (points.length <= pointsMax) return;
      points = points.filter((_, index) => index % 2 === 1);
      gap *= 2;
    },
    reach: (sequence) => {
      let reached = 0;
      while ((points[reached]?.behind ?? Number.POSITIVE_INFINITY) <= sequence) reached++;
      passed = points[reached - 1]?.before ?? passed;
      points.splice(0, reached);
      if (newest === undefined || newest.behind > sequence) return;
      passed = newest.before;
      newest = undefined;
      points = [];
      gap = 1;
    },
    passed: () => passed,
  };
}
