import { createHistogram } from './histogram.ts';
import type { LoadReport } from './report.ts';

type Figures = Pick<LoadReport, 'requests' | 'ok' | 'statuses' | 'transportErrors' | 'failures' | 'latencyMs'>;

/** Counts how requests ended. */
export interface Tally {
  /** A status, or 0 and the transport error's code. */
  readonly settle: (status: number, failure: string, latencyMs: number) => void;
  readonly done: () => number;
  readonly figures: () => Figures;
}

export function createTally(): Tally {
  const latency = createHistogram();
  const statuses = new Map<number, number>();
  const failures = new Map<string, number>();
  let responses = 0;
  let transportErrors = 0;

  const settle = (status: number, failure: string, latencyMs: number): void => {
    if (status === 0) {
      transportErrors += 1;
      failures.set(failure, (failures.get(failure) ?? 0) + 1);
      return;
    }
    responses += 1;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status >= 200 && status < 300) latency.record(latencyMs);
  };

  const done = (): number => responses + transportErrors;

  const figures = (): Figures => {
    const latencyMs = latency.summary() ?? null;
    return {
      requests: done(),
      ok: latencyMs?.count ?? 0,
      statuses: Object.fromEntries(statuses),
      transportErrors,
      failures: Object.fromEntries(failures),
      latencyMs,
    };
  };
  return { settle, done, figures };
}
