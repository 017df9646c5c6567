import type { SearchContext } from '../search.ts';
import { type Measured, measureRecall } from './measure.ts';
import { samplesPerKind, takeSamples } from './samples.ts';

/** What was measured last, and at how many living documents. */
export interface RecallMeasurement extends Measured {
  readonly target: number;
  readonly live: number;
}

/** Keeps `ef` as small as the target allows: measured, and measured again when the index has changed much. */
export interface EfTuner {
  /** `ef` for searches; undefined until it was measured. */
  readonly ef: number | undefined;
  readonly measured: RecallMeasurement | undefined;
  /** A query was asked of the graph. */
  onQuery(values: ArrayLike<number>): void;
  /** Some milliseconds of measuring; false where nothing is left to measure. */
  step(target: number, context: SearchContext, insertions: number): boolean;
}

/** Every so many queries one is remembered, the newest of them. */
const queriesBetweenSamples = 8;
/** Measured again when so much of the graph is new. */
const changedFraction = 0.5;

export function createEfTuner(): EfTuner {
  const asked: Float32Array[] = [];
  let queries = 0;
  let measured: RecallMeasurement | undefined;
  let running:
    | { readonly work: ReturnType<typeof measureRecall>; readonly of: SearchContext['generation'] }
    | undefined;
  /** What the last measurement was of. */
  let last: { of: SearchContext['generation']; target: number; insertions: number; asked: boolean } | undefined;

  const isDue = (target: number, { generation, live }: SearchContext, insertions: number): boolean => {
    if (generation.graph === undefined || generation.unscannable.size > 0) return false;
    if (last === undefined || last.of !== generation || last.target !== target) return true;
    if (!last.asked && asked.length >= samplesPerKind) return true;
    return insertions - last.insertions >= changedFraction * live;
  };
  return {
    get ef() {
      return measured?.ef;
    },
    get measured() {
      return measured;
    },
    onQuery: (values) => {
      if (queries++ % queriesBetweenSamples !== 0) return;
      asked[Math.floor(queries / queriesBetweenSamples) % samplesPerKind] = Float32Array.from(values);
    },
    step: (target, context, insertions) => {
      const { generation, live } = context;
      // The graph that it measured is there no more.
      if (running !== undefined && (running.of !== generation || generation.graph === undefined)) running = undefined;
      if (running === undefined) {
        if (!isDue(target, context, insertions)) return false;
        const samples = takeSamples(
          generation,
          asked.filter((query) => query.length === context.dimension),
        );
        last = { of: generation, target, insertions, asked: samples.asked.length > 0 };
        running = { work: measureRecall(samples, target, context), of: generation };
      }
      const { done, value } = running.work.next();
      if (done !== true) return true;
      measured = { ...value, target, live };
      running = undefined;
      return false;
    },
  };
}
