import type { FaultReport } from './campaign.ts';
import type { FaultId, Scale } from './fault-row.ts';

/** What the campaign as a whole comes to; of the runs with the fault, controls and mutations apart. */
export interface Totals {
  readonly kills: number;
  readonly simulatorSeeds: number;
  readonly acknowledgedLost: number;
  readonly digestMismatches: number;
  readonly queriesFailedInRebuild: number;
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly bar: number;
  readonly comparison: 'at least' | 'at most';
  readonly met: boolean;
}

const killsMin = 200;
const simulatorSeedsMin = 100_000;
const documentsMin = 50_000;

export function totalsOf(reports: readonly FaultReport[]): Totals {
  const sum = (name: string) => reports.reduce((total, { counts }) => total + (counts[name] ?? 0), 0);
  const checks = reports.flatMap((report) => report.checks);
  return {
    kills: sum('kills'),
    simulatorSeeds: sum('simulatorSeeds'),
    acknowledgedLost: sum('acknowledgedLost'),
    digestMismatches: checks.filter(({ oracle, held }) => oracle.startsWith('H:') && !held).length,
    queriesFailedInRebuild: sum('queriesFailedInRebuild'),
  };
}

/** What the whole campaign has to reach at its long scale; at the short one only that nothing was lost or differs. */
export function barsOf(reports: readonly FaultReport[], scale: Scale): Bar[] {
  const totals = totalsOf(reports);
  const documents = (fault: FaultId) => reports.find((report) => report.fault === fault)?.counts.documents ?? 0;
  const least = (name: string, value: number, bar: number): Bar => ({
    name,
    value,
    bar,
    comparison: 'at least',
    met: value >= bar,
  });
  const none = (name: string, value: number): Bar => ({ name, value, bar: 0, comparison: 'at most', met: value <= 0 });
  const always = [
    none('acknowledged events lost', totals.acknowledgedLost),
    none('digest mismatches', totals.digestMismatches),
    none('queries failed during a rebuild', totals.queriesFailedInRebuild),
  ];
  if (scale === 'short') return always;
  return [
    least('process kills', totals.kills, killsMin),
    least('simulator seeds', totals.simulatorSeeds, simulatorSeedsMin),
    least('documents in F1', documents('F1'), documentsMin),
    least('documents in F15', documents('F15'), documentsMin),
    ...always,
  ];
}
