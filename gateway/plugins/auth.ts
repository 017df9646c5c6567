import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../../schemas/problems.ts';
import { bearerToken, tokenCheck } from '../../streams/bearer.ts';
import type { GatewayOptions } from '../dependencies.ts';
import { headerOf } from '../replies.ts';
import { isMetricsPath, isOpenPath } from './open-paths.ts';

type TokenOptions = Pick<GatewayOptions, 'token' | 'secondaryTokens' | 'metricsToken' | 'metricsOpen'>;

/**
 * Wants a bearer token on every path but the open ones. Secondary tokens are taken as well, so that a token can be
 * changed without a moment at which nobody gets in. Without any token configured everybody is let in (loopback only:
 * see `assertBindAllowed`). `/metrics` takes a token of its own too, which opens nothing else; or none where it is open.
 */
export function requireToken(app: FastifyInstance, options: TokenOptions): void {
  const { metricsToken, metricsOpen } = options;
  const everywhere = tokensOf(options);
  const ofMetrics = metricsToken === undefined ? everywhere : [...everywhere, metricsToken];
  if (ofMetrics.length === 0) return;
  const isAccepted = tokenCheck(everywhere);
  const opensMetrics = tokenCheck(ofMetrics);
  app.addHook('onRequest', (request, _reply, done) => {
    const isMetrics = isMetricsPath(request.url);
    if (isOpenPath(request.url) || (isMetrics ? metricsOpen : everywhere.length === 0)) return done();
    const given = bearerToken(headerOf(request, 'authorization'));
    if (given !== undefined && (isMetrics ? opensMetrics : isAccepted)(given)) return done();
    const missing = 'send the header "Authorization: Bearer <token>" with the token that the operator gave you';
    done(
      new ProblemError('unauthorized', given === undefined ? missing : 'the token is not one that is accepted here'),
    );
  });
}

/** The tokens that open every path. */
export function tokensOf({ token, secondaryTokens }: Pick<GatewayOptions, 'token' | 'secondaryTokens'>): string[] {
  return [...(token === undefined ? [] : [token]), ...secondaryTokens];
}
