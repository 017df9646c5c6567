import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../scripts/random.ts';
import { createWatermarks, type PipelineState } from './pipeline.ts';

/** A pipeline of three streams whose workers finish out of order, and now and then replace a message by a newer one. */
function createModel(random: () => number) {
  const pick = (below: number) => Math.floor(random() * below);
  const ingest: boolean[] = [];
  /** Of each event of the stream: the sequence of INGEST that it comes from. */
  const documents: { source: number; done: boolean }[] = [];
  const vectors: { source: number; folded: boolean }[] = [];
  const floorOf = (done: readonly boolean[]) => {
    const first = done.indexOf(false);
    return first < 0 ? done.length : first;
  };
  const waiting = (done: readonly boolean[]) => done.flatMap((one, at) => (one ? [] : [at])).slice(0, 8);
  return {
    step: () => {
      const kind = pick(4);
      if (kind === 0) ingest.push(false);
      if (kind === 1) {
        const at = waiting(ingest)[pick(8)];
        if (at === undefined) return;
        documents.push({ source: at + 1, done: false });
        ingest[at] = true;
      }
      if (kind === 2) {
        const at = waiting(documents.map(({ done }) => done))[pick(8)];
        const document = documents[at ?? -1];
        if (document === undefined) return;
        vectors.push({ source: document.source, folded: false });
        document.done = true;
      }
      const next = vectors.find(({ folded }) => !folded);
      if (kind === 3 && next !== undefined) next.folded = true;
    },
    state: (): PipelineState => ({
      ingest: { lastSequence: ingest.length, workedTo: floorOf(ingest), pending: 0 },
      embed: {
        lastSequence: documents.length,
        workedTo: floorOf(documents.map(({ done }) => done)),
        pending: 0,
      },
      vectors: { lastSequence: vectors.length, foldedTo: vectors.filter(({ folded }) => folded).length },
      fullest: { stream: 'INGEST', share: 0 },
    }),
    /** The truth: up to which sequence of INGEST all is embedded, and all can be found. */
    embedded: () => floorOf(ingest.map((_, at) => vectors.some(({ source }) => source === at + 1))),
    searchable: () => floorOf(ingest.map((_, at) => vectors.some(({ source, folded }) => folded && source === at + 1))),
  };
}

describe('watermarks', () => {
  it('are never ahead of the truth, never go back, and get there in the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const numbers = createRandom(seed);
        const random = () => numbers.unit();
        const model = createModel(random);
        const marks = createWatermarks();
        let [embedded, searchable] = [0, 0];
        for (let step = 0; step < 400; step++) {
          model.step();
          if (random() > 0.2) continue;
          marks.note(model.state());
          expect(marks.embedded() ?? 0).toBeLessThanOrEqual(model.embedded());
          expect(marks.searchable() ?? 0).toBeLessThanOrEqual(model.searchable());
          expect(marks.embedded() ?? 0).toBeGreaterThanOrEqual(embedded);
          expect(marks.searchable() ?? 0).toBeGreaterThanOrEqual(searchable);
          [embedded, searchable] = [marks.embedded() ?? 0, marks.searchable() ?? 0];
        }
        const quiet: PipelineState = {
          ...model.state(),
          ingest: { lastSequence: 99_999, workedTo: 99_999, pending: 0 },
          embed: { lastSequence: 99_999, workedTo: 99_999, pending: 0 },
          vectors: { lastSequence: 99_999, foldedTo: 99_999 },
        };
        marks.note(quiet);
        expect([marks.embedded(), marks.searchable()]).toEqual([99_999, 99_999]);
      }),
      { numRuns: 100 },
    );
  });

  it('are not known before a look has seen the whole way, and are kept in bounded memory', () => {
    const marks = createWatermarks();
    for (let at = 1; at <= 100_000; at++)
      marks.note({
        ingest: { lastSequence: at, workedTo: at, pending: 0 },
        embed: { lastSequence: at * 2, workedTo: 0, pending: at },
        vectors: { lastSequence: 0, foldedTo: undefined },
        fullest: { stream: 'INGEST', share: 0 },
      });
    expect([marks.embedded(), marks.searchable()]).toEqual([undefined, undefined]);
    marks.note({
      ingest: { lastSequence: 100_000, workedTo: 100_000, pending: 0 },
      embed: { lastSequence: 200_000, workedTo: 150_000, pending: 1 },
      vectors: { lastSequence: 7, foldedTo: undefined },
      fullest: { stream: 'INGEST', share: 0 },
    });
    // As fine as the points that were kept.
    expect(marks.embedded()).toBeGreaterThan(74_000);
    expect(marks.embedded()).toBeLessThanOrEqual(75_000);
    expect(marks.searchable()).toBeUndefined();
  });
});
