import type { Clock } from './clock.ts';
import type { ObservationReporter } from './observations.ts';
import type { ReactorOutcome } from './reactor.ts';
import type { ServiceHandler, ServiceRequest } from './service.ts';

/** Tells what became of each message as an observation: `ingest: append`, `embed: retry` and so on. */
export function reportOutcomes(observations: ObservationReporter, worker: string): (outcome: ReactorOutcome) => void {
  return ({ kind, subject, sequence, durationMs, detail, traceId }) => {
    const success = kind === 'append' || kind === 'skip';
    observations.report({
      endpoint: `${worker}: ${kind}`,
      success,
      duration_ms: durationMs,
      input_summary: `${subject} ${sequence}`,
      ...(success ? { output_summary: detail } : { error: detail }),
      ...(traceId === undefined ? {} : { trace_id: traceId }),
    });
  };
}

/** Tells each answer of a service as an observation. */
export function observed(
  endpoints: Readonly<Record<string, ServiceHandler>>,
  observations: ObservationReporter,
  clock: Clock,
): Record<string, ServiceHandler> {
  const wrap = (endpoint: string, handler: ServiceHandler): ServiceHandler => {
    const tell = (request: ServiceRequest, began: number, success: boolean) =>
      observations.report({
        endpoint,
        success,
        duration_ms: clock.monotonicMs() - began,
        input_summary: `${request.body.length} bytes`,
        ...(request.traceId === undefined ? {} : { trace_id: request.traceId }),
      });
    return (request) => {
      const began = clock.monotonicMs();
      try {
        const response = handler(request);
        if (!(response instanceof Promise)) {
          tell(request, began, true);
          return response;
        }
        return response.then(
          (answer) => {
            tell(request, began, true);
            return answer;
          },
          (error: unknown) => {
            tell(request, began, false);
            throw error;
          },
        );
      } catch (error) {
        tell(request, began, false);
        throw error;
      }
    };
  };
  return Object.fromEntries(Object.entries(endpoints).map(([subject, handler]) => [subject, wrap(subject, handler)]));
}
