import type { Generation } from '../generation.ts';
import { scaled } from '../metric.ts';

/**
 * Queries that recall is measured with, by kind, as each has its own difficulty: points beside what is stored, points
 * midway between two documents (far from every cluster), and what was really asked.
 */
export interface QuerySamples {
  readonly beside: readonly Float32Array[];
  readonly between: readonly Float32Array[];
  readonly asked: readonly Float32Array[];
}

/** Queries of each kind. A walk that ends in the wrong cluster misses all ten answers: that is less than a percent here. */
export const samplesPerKind = 128;
/** Fewer asked queries than this say nothing. */
const askedMin = 16;
/** As far from what is stored as questions are: it would find itself first. */
const besidePart = 0.3;
/** Steps through the labels that come back to none for long: the golden ratio's. */
const stride = 0.618_033_988_749_895;

export function takeSamples(generation: Generation, asked: readonly Float32Array[]): QuerySamples {
  const { arena } = generation;
  const livingFrom = (label: number): Float32Array | undefined => {
    for (let at = 0; at < arena.count; at++) {
      const candidate = (label + at) % arena.count;
      if (generation.slotOf(candidate) >= 0) return arena.view(candidate).slice();
    }
    return undefined;
  };
  const pick = (turn: number) => livingFrom(Math.floor(((turn * stride) % 1) * arena.count));
  const picked = Array.from({ length: 2 * samplesPerKind }, (_, turn) => pick(turn + 1)).filter(
    (vector) => vector !== undefined,
  );
  const towards = (part: number) =>
    picked.flatMap((one, place) => {
      const other = place % 2 === 0 ? picked[place + 1] : undefined;
      const point = other === undefined ? undefined : onTheWay(one, other, part);
      return point === undefined ? [] : [point];
    });
  return {
    beside: towards(besidePart),
    between: towards(0.5),
    asked: asked.length < askedMin ? [] : asked.slice(0, samplesPerKind),
  };
}

/** A direction from that of one vector towards that of another; undefined where the two cancel each other out. */
function onTheWay(one: Float32Array, other: Float32Array, part: number): Float32Array | undefined {
  const [a, b] = [unit(one), unit(other)];
  const sum = Float32Array.from(a, (value, place) => (1 - part) * value + part * (b[place] ?? 0));
  const length = Math.hypot(...sum);
  return Number.isFinite(length) && length > 1e-3 ? sum : undefined;
}

function unit(vector: Float32Array): number[] {
  const length = Math.hypot(...vector);
  return scaled(vector, length > 0 && Number.isFinite(length) ? 1 / length : 1);
}
