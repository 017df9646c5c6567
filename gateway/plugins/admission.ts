import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { traceIdSchema } from '../../schemas/primitives.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { readTraceparent, traceparentHeader } from '../../schemas/traceparent.ts';
import { readGauge } from '../../streams/telemetry/metrics.ts';
import type { StartedSpan, Tracing } from '../../streams/telemetry/tracing.ts';
import { traceHeader } from '../../streams/trace-headers.ts';
import type { GatewayDependencies, GatewayOptions } from '../dependencies.ts';
import { bodyOf, headerOf } from '../replies.ts';
import { isOpenPath } from './open-paths.ts';
import { createRequestMetrics, type RequestMetrics, unknownRoute } from './request-metrics.ts';
import type { WhenOver } from './when-over.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Goes along with everything that the request causes. */
    traceId: string;
    /** W3C Trace Context, handed on likewise; undefined where none was sent and no spans are made. */
    traceparent: string | undefined;
    /** When it was let in, on the monotonic clock; undefined where it was refused before. */
    beganMs: number | undefined;
    /** It is counted among those in work. */
    inWork: boolean;
    /** Its own, where spans are made. */
    span: StartedSpan | undefined;
  }
}

const traceHeaderLower = traceHeader.toLowerCase();

/**
 * The first to see a request: names its trace, counts it among those in work, and tells of it once it is over, whether
 * it was answered or its client went away. More than `requestsWaitingMax` are refused; health checks never are. A request
 * whose answer is ready is not in work any more: a client that does not read its answers takes nobody's place.
 */
export function admitRequests(
  app: FastifyInstance,
  { requestsWaitingMax }: Pick<GatewayOptions, 'requestsWaitingMax'>,
  dependencies: Pick<GatewayDependencies, 'clock' | 'observations' | 'telemetry' | 'requestLog' | 'newTraceId'>,
  whenOver: WhenOver,
): void {
  const { clock, newTraceId } = dependencies;
  const { metrics, tracing } = dependencies.telemetry;
  const requests = createRequestMetrics(metrics);
  readGauge(metrics, {
    name: 'lakehouse_http_requests_in_work',
    help: 'Requests that are not answered yet',
    read: () => inWork,
  });
  let inWork = 0;
  const leaveWork = (request: FastifyRequest) => {
    if (request.inWork) inWork--;
    request.inWork = false;
  };
  app.decorateRequest('traceId', '');
  app.decorateRequest('traceparent', undefined);
  app.decorateRequest('beganMs', undefined);
  app.decorateRequest('inWork', false);
  app.decorateRequest('span', undefined);
  app.addHook('onSend', (request, _reply, _payload, done) => {
    leaveWork(request);
    done();
  });
  whenOver((request, reply) => {
    const { beganMs, span } = request;
    if (beganMs === undefined) return;
    leaveWork(request);
    if (span !== undefined) endSpan(span, reply);
    // Probes ask every second and are nobody's work: they would be most of what is counted.
    if (!isOpenPath(request.url)) tell(request, reply, clock.monotonicMs() - beganMs, requests, dependencies);
  });
  app.addHook('onRequest', (request, reply, done) => {
    request.beganMs = clock.monotonicMs();
    request.traceId = traceIdOf(headerOf(request, traceHeaderLower), newTraceId);
    reply.header(traceHeaderLower, request.traceId);
    request.traceparent = readTraceparent(headerOf(request, traceparentHeader));
    request.span = tracing === undefined || isOpenPath(request.url) ? undefined : startSpan(request, tracing);
    inWork++;
    request.inWork = true;
    if (inWork <= requestsWaitingMax || isOpenPath(request.url)) return done();
    done(new ProblemError('overloaded', `${requestsWaitingMax} requests are in work already; try again shortly`));
  });
}

/** The span of a request: what the request causes belongs to it from here on. */
function startSpan(request: FastifyRequest, tracing: Tracing): StartedSpan {
  const route = request.routeOptions.url ?? unknownRoute;
  const { method, traceId, traceparent: parent } = request;
  const attributes = { 'http.request.method': method, 'http.route': route, 'lakehouse.trace_id': traceId };
  const span = tracing.start({ name: `${method} ${route}`, kind: 'server', parent, attributes });
  request.traceparent = span.traceparent;
  return span;
}

function endSpan(span: StartedSpan, reply: FastifyReply): void {
  const { statusCode: status } = reply;
  if (!reply.raw.writableEnded) span.end('the client went away before the answer');
  else span.end(status >= 500 ? `status ${status}` : undefined, { 'http.response.status_code': status });
}

/** A caller's own trace goes on; where there is none, or none that can be carried, one begins here. */
function traceIdOf(given: string | undefined, newTraceId: () => string): string {
  return given !== undefined && traceIdSchema.safeParse(given).success ? given : newTraceId();
}

function tell(
  request: FastifyRequest,
  reply: FastifyReply,
  durationMs: number,
  requests: RequestMetrics,
  { observations, requestLog }: Pick<GatewayDependencies, 'observations' | 'requestLog'>,
): void {
  const { traceId, method } = request;
  // The pattern, not the path: whoever sums up by endpoint must not meet one for each corpus or slip.
  const route = request.routeOptions.url;
  const endpoint = `${method} ${route ?? 'unknown path'}`;
  const status = reply.statusCode;
  const answered = reply.raw.writableEnded;
  const success = answered && status < 400;
  const outcome = answered ? `status ${status}` : 'the client went away before the answer';
  const bytesIn = Number(headerOf(request, 'content-length') ?? bodyOf(request).length);
  requests.ended(method, route, status, !answered, durationMs);
  requestLog?.({
    method,
    route: route ?? unknownRoute,
    status,
    durationMs,
    traceId,
    bytesIn,
    bytesOut: Number(reply.getHeader('content-length') ?? 0),
    gone: !answered,
  });
  observations.report({
    endpoint,
    success,
    duration_ms: durationMs,
    input_summary: `${bodyOf(request).length} bytes`,
    trace_id: traceId,
    ...(success ? { output_summary: outcome } : { error: outcome }),
  });
}
