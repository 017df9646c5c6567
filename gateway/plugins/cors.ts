import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import { positionHeader } from '../../schemas/position.ts';
import { traceHeader } from '../../streams/trace-headers.ts';
import type { GatewayOptions } from '../dependencies.ts';
import { gatewayLimits } from '../limits.ts';

/** Headers of this gateway beyond those that pages may send and read anyway. */
const ownHeaders = [positionHeader, traceHeader];
const sentHeaders = ['Authorization', 'Content-Type', 'Idempotency-Key', 'traceparent', ...ownHeaders];

/**
 * Lets pages of the named origins ask from a browser; off without any. Cookies are never taken, so `*` gives a page no
 * more than its own token does.
 */
export async function allowOrigins(
  app: FastifyInstance,
  { corsOrigins }: Pick<GatewayOptions, 'corsOrigins'>,
): Promise<void> {
  if (corsOrigins.length === 0) return;
  await app.register(cors, {
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: sentHeaders,
    exposedHeaders: [...ownHeaders, 'Retry-After'],
    maxAge: gatewayLimits.corsMaxAgeSeconds,
    credentials: false,
    strictPreflight: true,
  });
}
