import type { LoadReport } from '../loadgen/report.ts';
import type { LoadTask } from './children/load.ts';
import { startChild } from './children.ts';

/** The load generator, in a process of its own. */
export interface Generator extends AsyncDisposable {
  readonly pid: number;
  run(task: LoadTask): Promise<LoadReport>;
}

export async function startGenerator(): Promise<Generator> {
  const child = await startChild('load');
  return {
    pid: child.process.pid ?? 0,
    run: async (task) => (await child.ask(task)) as LoadReport,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** What a set of runs met: responses by status class beyond 2xx, transport errors, requests never sent. */
export interface Failures {
  readonly requests: number;
  readonly non2xx: number;
  readonly status5xx: number;
  readonly transport: number;
  readonly unsent: number;
}

export function sumFailures(reports: readonly LoadReport[]): Failures {
  const sum = (count: (report: LoadReport) => number) => reports.reduce((total, report) => total + count(report), 0);
  const responsesFrom = (low: number, high: number) => (report: LoadReport) =>
    Object.entries(report.statuses)
      .filter(([status]) => Number(status) >= low && Number(status) <= high)
      .reduce((total, [, count]) => total + count, 0);
  const responses = sum(responsesFrom(0, 999));
  return {
    requests: sum((report) => report.requests),
    non2xx: responses - sum(responsesFrom(200, 299)),
    status5xx: sum(responsesFrom(500, 599)),
    transport: sum((report) => report.transportErrors),
    unsent: sum((report) => report.unsent),
  };
}
