import { join } from 'node:path';
import type { BaselineDriftRow } from '../../../schemas/distillation/audit.ts';
import { baselineLogPath, loadBaselines } from '../../../workers/audit/baseline-log.ts';
import { baselineDrift, formatChange, summarizeDrift } from '../../../workers/drift/baseline-drift.ts';
import { exitCodes } from '../../exit-codes.ts';
import { labelledBars } from '../../plot/bars.ts';
import { nothingToCompare } from '../nothing.ts';
import type { Told, ToldTable } from '../told.ts';

/** The newest baseline beside the one before, and beside the first. */
export async function baselines(root: string): Promise<Told> {
  const entries = await loadBaselines(join(root, baselineLogPath));
  const current = entries.at(-1);
  if (current === undefined)
    throw nothingToCompare('there is no baseline yet', '"lakehouse audit-full --append-baseline" makes one.');
  const compared = {
    before: baselineDrift(entries.at(-2)?.metrics, current.metrics),
    first: baselineDrift(entries[0]?.metrics, current.metrics),
  };
  return {
    title: 'What audits counted',
    json: { entries: entries.length, ...compared },
    sentences: [
      `against the baseline before: ${summarizeDrift(compared.before)}`,
      `against the first of ${entries.length}: ${summarizeDrift(compared.first)}`,
    ],
    tables: [tableOf('Against the baseline before', compared.before), tableOf('Against the first', compared.first)],
    svg: labelledBars(
      'Change against the baseline before',
      compared.before.map(({ metric, baseline, current: now, change, flag }) => ({
        label: metric,
        value: change ?? 0,
        told: `${formatChange(change)} (${baseline ?? '-'} to ${now})`,
        marked: flag === 'warn',
      })),
    ),
    exitCode: exitCodes.done,
  };
}

function tableOf(caption: string, rows: readonly BaselineDriftRow[]): ToldTable {
  return {
    caption,
    columns: [
      { title: 'metric' },
      { title: 'before', right: true },
      { title: 'now', right: true },
      { title: 'change', right: true },
      { title: 'flag' },
    ],
    rows: rows.map(({ metric, baseline, current, change, flag }) => [
      metric,
      String(baseline ?? '-'),
      String(current),
      formatChange(change),
      flag,
    ]),
  };
}
