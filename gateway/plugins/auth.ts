import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../../schemas/problems.ts';
import type { GatewayOptions } from '../dependencies.ts';
import { headerOf } from '../replies.ts';
import { isOpenPath } from './open-paths.ts';

const bearerPattern = /^bearer +(\S+) *$/i;

/**
 * Wants a bearer token on every path but the open ones. Secondary tokens are taken as well, so that a token can be
 * changed without a moment at which nobody gets in. Without any token configured everybody is let in (loopback only:
 * see `assertBindAllowed`).
 */
export function requireToken(
  app: FastifyInstance,
  { token, secondaryTokens }: Pick<GatewayOptions, 'token' | 'secondaryTokens'>,
): void {
  const accepted = [...(token === undefined ? [] : [token]), ...secondaryTokens].map(digestOf);
  if (accepted.length === 0) return;
  app.addHook('onRequest', (request, _reply, done) => {
    if (isOpenPath(request.url)) return done();
    const given = bearerPattern.exec(headerOf(request, 'authorization') ?? '')?.[1];
    if (given !== undefined && isAccepted(given, accepted)) return done();
    const missing = 'send the header "Authorization: Bearer <token>" with the token that the operator gave you';
    done(
      new ProblemError('unauthorized', given === undefined ? missing : 'the token is not one that is accepted here'),
    );
  });
}

/** Digests are of one length, and all are compared: time tells neither how long a token is nor which one came close. */
function isAccepted(given: string, accepted: readonly Buffer[]): boolean {
  const digest = digestOf(given);
  let found = false;
  for (const candidate of accepted) if (timingSafeEqual(digest, candidate)) found = true;
  return found;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
