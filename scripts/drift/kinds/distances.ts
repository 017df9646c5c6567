import { kolmogorovSmirnov } from '../../../workers/drift/kolmogorov-smirnov.ts';
import { populationStability } from '../../../workers/drift/population-stability.ts';
import { exitCodes } from '../../exit-codes.ts';
import { bucketPlot, distributionPlot } from '../../plot/samples.ts';
import type { Told } from '../told.ts';

/** Distances of nearest results, before and from a moment on. */
export interface Distances {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly splitMs: number;
}

const axis = 'distance of the nearest result';

/** Population stability index over ten buckets. */
export function population({ before, after, splitMs }: Distances): Told {
  const stability = populationStability(before, after);
  const split = new Date(splitMs).toISOString();
  const told =
    stability.index === null
      ? 'nothing to compare'
      : `population stability index ${stability.index.toFixed(4)}: ${stability.verdict}`;
  const buckets = stability.buckets.map(({ from, to, baseline, current }) => ({
    from,
    to,
    shares: [baseline, current] as const,
  }));
  return {
    title: 'Distances by buckets',
    json: { ...stability, before: before.length, after: after.length, split },
    sentences: [`${told} (${counted(before, after, split)})`],
    tables: [
      {
        columns: ['from', 'to', 'before', 'since'].map((title) => ({ title, right: true })),
        rows: buckets.map(({ from, to, shares: [baseline, current] }) => [
          from.toFixed(4),
          to.toFixed(4),
          percent(baseline),
          percent(current),
        ]),
      },
    ],
    svg: bucketPlot('Distance of the nearest result', axis, [`before ${split}`, 'since'], buckets),
    exitCode: exitCodes.done,
  };
}

/** Two-sample Kolmogorov-Smirnov test. */
export function embedding({ before, after, splitMs }: Distances): Told {
  const test = kolmogorovSmirnov(before, after);
  const split = new Date(splitMs).toISOString();
  const told =
    test.statistic === null || test.pValue === null
      ? 'nothing to compare'
      : `Kolmogorov-Smirnov D ${test.statistic.toFixed(4)}, p ${test.pValue.toPrecision(3)}: ${test.drifted ? 'the distances have drifted' : 'no drift to be seen'}`;
  return {
    title: 'Distances as distributions',
    json: { ...test, split },
    sentences: [`${told} (${counted(before, after, split)})`],
    tables: [
      {
        columns: [{ title: 'part' }, { title: 'before', right: true }, { title: 'since', right: true }],
        rows: quantiles.map((part) => [percent(part), quantile(before, part), quantile(after, part)]),
      },
    ],
    svg: distributionPlot('Distance of the nearest result', axis, [
      { name: `before ${split}`, values: before },
      { name: 'since', values: after },
    ]),
    exitCode: exitCodes.done,
  };
}

const quantiles = [0.1, 0.25, 0.5, 0.75, 0.9] as const;

/** The smallest value that such a part of the sample does not exceed. */
function quantile(values: readonly number[], part: number): string {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]?.toFixed(4) ?? '-';
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function counted(before: readonly number[], after: readonly number[], split: string): string {
  return `${before.length} searches before ${split}, ${after.length} since`;
}
