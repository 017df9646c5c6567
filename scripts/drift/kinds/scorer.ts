import { scoreCategories } from '../../../schemas/distillation/scored-run.ts';
import { exitCodes } from '../../exit-codes.ts';
import { matrixPlot } from '../../plot/matrix.ts';
import { scorerDriftOf } from '../scores-on-disk.ts';
import type { Told } from '../told.ts';

/** What the rules of today make otherwise of what was scored. */
export async function scorer(root: string): Promise<Told> {
  const drift = await scorerDriftOf(root);
  const share = (drift.drift_rate * 100).toFixed(1);
  return {
    title: 'Scores under the rules of today',
    json: drift,
    sentences: [`${drift.drifted} of ${drift.total} scores would be others under ${drift.scorer_version} (${share} %)`],
    tables: [
      {
        columns: [{ title: 'from' }, { title: 'to' }, { title: 'rows', right: true }],
        rows: drift.shifts.map(({ from, to, count }) => [from, to, String(count)]),
      },
    ],
    svg: matrixPlot('Scores as they are (rows) and as they would be (columns)', scoreCategories, drift.shifts),
    exitCode: exitCodes.done,
  };
}
