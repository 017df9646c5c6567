import { type Metrics, type Observe, type StatusClass, statusClassOf } from '../../streams/telemetry/metrics.ts';

/** All paths that nobody answers at share one name: whoever asks makes them up. */
export const unknownRoute = 'unknown';

export interface RequestMetrics {
  /** One request that is over. `route`: the pattern of its path, undefined where nothing answers there. */
  ended(method: string, route: string | undefined, status: number, gone: boolean, durationMs: number): void;
}

/** Times requests by route and status class; the handles are found once, as finding one costs more than using it. */
export function createRequestMetrics(metrics: Metrics): RequestMetrics {
  const handles = new Map<string, Map<string, Partial<Record<StatusClass, Observe>>>>();
  const handlesOf = (route: string, method: string): Partial<Record<StatusClass, Observe>> => {
    const ofRoute = handles.get(route) ?? new Map<string, Partial<Record<StatusClass, Observe>>>();
    if (ofRoute.size === 0) handles.set(route, ofRoute);
    const found = ofRoute.get(method) ?? {};
    if (!ofRoute.has(method)) ofRoute.set(method, found);
    return found;
  };
  const handleOf = (method: string, route: string, status: StatusClass): Observe => {
    const found = handles.get(route)?.get(method) ?? handlesOf(route, method);
    found[status] ??= metrics.httpRequests(method, route, status);
    return found[status];
  };
  return {
    ended: (method, route, status, gone, durationMs) => {
      const known = route !== undefined;
      handleOf(
        known ? method : 'any',
        route ?? unknownRoute,
        gone ? 'gone' : statusClassOf(status),
      )(durationMs / 1_000);
    },
  };
}
