import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemError } from '../../schemas/problems.ts';
import { bearerToken, tokenCheck } from '../../streams/bearer.ts';
import type { GatewayOptions } from '../dependencies.ts';
import { gatewayLimits } from '../limits.ts';
import { headerOf } from '../replies.ts';
import { tokensOf } from './auth.ts';
import { isHealthPath } from './open-paths.ts';

/**
 * So many requests in a window for each client: for each accepted token, and for each address that has none, so that
 * guessing tokens is limited too. Beyond: 429, with the time after which to try again. Health checks are not counted.
 * Counts are kept in this process: with several gateways each lets as many through.
 */
export async function limitRate(app: FastifyInstance, options: GatewayOptions): Promise<void> {
  const { requests: max, windowMs: timeWindow } = options.rateLimit;
  if (max === 0) return;
  await app.register(rateLimit, { global: false, cache: gatewayLimits.rateLimitClientsMax });
  const isAccepted = tokenCheck(tokensOf(options));
  const keyGenerator = (request: FastifyRequest): string => {
    const token = bearerToken(headerOf(request, 'authorization'));
    return token !== undefined && isAccepted(token) ? `token ${token}` : `address ${request.ip}`;
  };
  const check = app.createRateLimit({ max, timeWindow, keyGenerator });
  app.addHook('onRequest', async (request, reply) => {
    if (isHealthPath(request.url)) return;
    const outcome = await check(request);
    if (outcome.isAllowed || !outcome.isExceeded) return;
    reply.header('retry-after', String(Math.max(1, outcome.ttlInSeconds)));
    const detail = `a client may send ${max} requests in ${timeWindow} ms (LAKEHOUSE_RATE_LIMIT); wait as long as Retry-After says`;
    throw new ProblemError('rate_limited', detail);
  });
}
