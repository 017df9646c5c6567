import { ProblemError } from '../schemas/problems.ts';
import type { Clock } from './clock.ts';
import type { ServiceHandler, ServiceRequest, ServiceResponse } from './service.ts';
import { type Observe, type StatusClass, statusClassOf } from './telemetry/metrics.ts';
import type { Telemetry } from './telemetry/telemetry.ts';
import type { StartedSpan } from './telemetry/tracing.ts';

const statusClasses: readonly StatusClass[] = ['2xx', '4xx', '5xx'];

/** A handler whose answers are timed, and told as spans where an exporter is configured. */
export function measured(
  subject: string,
  handler: ServiceHandler,
  { metrics, tracing }: Telemetry,
  clock: Clock,
): ServiceHandler {
  const observe = Object.fromEntries(
    statusClasses.map((status) => [status, metrics.serviceRequests(subject, status)]),
  ) as Record<string, Observe>;
  const ended = (beganMs: number, status: StatusClass, span: StartedSpan | undefined, failure?: string) => {
    observe[status]?.((clock.monotonicMs() - beganMs) / 1_000);
    span?.end(failure);
  };
  const failed = (beganMs: number, error: unknown, span: StartedSpan | undefined) => {
    const status = error instanceof ProblemError ? error.problem.status : 500;
    // A caller's slip is no failure of the service.
    ended(beganMs, statusClassOf(status), span, status < 500 ? undefined : nameOf(error));
  };
  const answer = (request: ServiceRequest, span: StartedSpan | undefined) => {
    const beganMs = clock.monotonicMs();
    let response: ServiceResponse | Promise<ServiceResponse>;
    try {
      response = handler(request);
    } catch (error) {
      failed(beganMs, error, span);
      throw error;
    }
    if (!(response instanceof Promise)) {
      ended(beganMs, '2xx', span);
      return response;
    }
    return response.then(
      (late) => {
        ended(beganMs, '2xx', span);
        return late;
      },
      (error: unknown) => {
        failed(beganMs, error, span);
        throw error;
      },
    );
  };
  if (tracing === undefined) return (request) => answer(request, undefined);
  return (request) => {
    const { traceparent: parent, traceId } = request;
    const attributes = { 'rpc.system': 'nats', ...(traceId === undefined ? {} : { 'lakehouse.trace_id': traceId }) };
    const span = tracing.start({ name: subject, kind: 'server', parent, attributes });
    return answer({ ...request, traceparent: span.traceparent }, span);
  };
}

function nameOf(error: unknown): string {
  return error instanceof ProblemError ? error.problem.code : 'internal';
}
