import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { positionHeader } from '../../schemas/position.ts';
import { problem } from '../../schemas/problems.ts';
import { traceparentHeader } from '../../schemas/traceparent.ts';
import { traceHeader } from '../../streams/trace-headers.ts';
import type { GatewayDependencies, GatewayOptions } from '../dependencies.ts';
import type { PositionKeeper } from '../positions.ts';
import { busAway, headerOf, positionHeaderLower, problemBody, serviceBody } from '../replies.ts';
import { type Forward, forwards } from './forwards.ts';

type ForwardDependencies = Pick<GatewayDependencies, 'client' | 'isConnected'>;

/** Declares every path that a service answers. */
export function forwardRoutes(
  app: FastifyInstance,
  options: GatewayOptions,
  dependencies: ForwardDependencies,
  positions: PositionKeeper,
): void {
  const deadlinesMs = {
    search: options.searchDeadlineMs,
    embed: options.embedDeadlineMs,
    wait: options.waitDeadlineMs,
  };
  for (const forward of forwards) {
    const handler = forwardHandler(forward, deadlinesMs[forward.deadline], dependencies, positions);
    app.route({ method: forward.method, url: forward.url, handler });
  }
}

function forwardHandler(
  { subject, gather, body, created }: Forward,
  deadlineMs: number,
  { client, isConnected }: ForwardDependencies,
  positions: PositionKeeper,
): (request: FastifyRequest, reply: FastifyReply) => Promise<Buffer> | Buffer {
  return (request, reply) => {
    const position = positions.attach(headerOf(request, positionHeaderLower));
    const payload = body(request);
    if (!isConnected()) return problemBody(reply, problem('unavailable', busAway));
    const headers: Record<string, string> = { [traceHeader]: request.traceId };
    if (request.traceparent !== undefined) headers[traceparentHeader] = request.traceparent;
    if (position !== '') headers[positionHeader] = position;
    return client.request(subject, payload, { deadlineMs, gather, headers }).then((answer) => {
      positions.note(answer.headers[positionHeader]);
      const told = serviceBody(reply, answer);
      if (created === true && answer.status === 200) reply.code(201);
      return told;
    });
  };
}
