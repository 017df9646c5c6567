import hnswlib from 'hnswlib-node';
import { defaultParameters } from '../../../workers/corpus-index/parameters.ts';
import { serveParent } from '../children.ts';
import { ownDimension, ownVectors } from '../vector-events.ts';

export interface BareTask {
  readonly count: number;
  readonly seed: number;
}

/** Seconds that bare `addPoint` takes for the vectors of the rows in their order; making the vectors is not counted. */
serveParent(null, async (message) => {
  const { count, seed } = message as BareTask;
  const vectorOf = ownVectors(seed);
  const vectors = Array.from({ length: count }, (_, at) => Array.from(vectorOf(at + 1)));
  const graph = new hnswlib.HierarchicalNSW('cosine', ownDimension);
  graph.initIndex(count, defaultParameters.m, defaultParameters.efConstruction, defaultParameters.graphSeed);
  const began = performance.now();
  vectors.forEach((vector, label) => {
    graph.addPoint(vector, label);
  });
  return (performance.now() - began) / 1_000;
});
