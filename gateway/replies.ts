import type { FastifyReply, FastifyRequest } from 'fastify';
import { positionHeader } from '../schemas/position.ts';
import { type Problem, problem } from '../schemas/problems.ts';
import type { ServiceReply } from '../streams/service-client.ts';
import { gatewayLimits } from './limits.ts';

/** Headers in the lower case in which Node.js gives them. */
export const positionHeaderLower = positionHeader.toLowerCase();
export const jsonType = 'application/json';
export const problemType = 'application/problem+json';
const retryAfter = String(gatewayLimits.retryAfterSeconds);

/** One value of a request header, undefined where it was not sent. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.raw.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The body as it came, empty where there was none. */
export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : emptyBody;
}
export const emptyBody = Buffer.alloc(0);

/** What a caller is told while there is nobody to ask. */
export const busAway =
  'the gateway has no connection to the bus at the moment, and is connecting again; try again shortly';

/** Sets status and headers for a problem and gives its bytes. */
export function problemBody(reply: FastifyReply, shown: Problem): Buffer {
  setStatus(reply, shown.status);
  if (typeof shown.retry_after_seconds === 'number') reply.header('retry-after', String(shown.retry_after_seconds));
  if (shown.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  return Buffer.from(JSON.stringify(shown), 'utf8');
}

/** Sets status and headers for the answer of a service and gives its bytes, untouched. */
export function serviceBody(reply: FastifyReply, answer: ServiceReply): Buffer {
  const { status, headers, body } = answer;
  if (status < 200 || status > 599)
    return problemBody(reply, problem('upstream_failed', `a service answered with status ${status}, which is none`));
  setStatus(reply, status);
  const position = headers[positionHeader];
  if (position !== undefined) reply.header(positionHeaderLower, position);
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}

function setStatus(reply: FastifyReply, status: number): void {
  reply.code(status).header('content-type', status >= 400 ? problemType : jsonType);
  if (status === 503 || status === 504) reply.header('retry-after', retryAfter);
}
