import fastify, { type FastifyInstance } from 'fastify';
import type { GatewayDependencies, GatewayOptions } from './dependencies.ts';
import { gatewayLimits } from './limits.ts';
import { admitRequests } from './plugins/admission.ts';
import { allowAddresses } from './plugins/allowed-addresses.ts';
import { requireToken } from './plugins/auth.ts';
import { takeBodies } from './plugins/body.ts';
import { boundConnections } from './plugins/connections.ts';
import { allowOrigins } from './plugins/cors.ts';
import { answerClientError, frameworkProblem, tellProblems } from './plugins/errors.ts';
import { limitRate } from './plugins/rate-limit.ts';
import { watchEnds } from './plugins/when-over.ts';
import { createPositionKeeper } from './positions.ts';
import { contractRoutes } from './routes/contracts.ts';
import { forwardRoutes } from './routes/forward.ts';
import { healthRoutes } from './routes/health.ts';
import { ingestRoutes } from './routes/ingest.ts';
import { metricsRoutes } from './routes/metrics.ts';

/**
 * The HTTP edge: authenticates, limits, and passes bytes between HTTP and the services. Hooks run in the order in which
 * they are declared here, and all of them before a byte of a body is read.
 */
export function buildApp(options: GatewayOptions, dependencies: GatewayDependencies): FastifyInstance {
  const app = fastify({
    // The type of a server with TLS is another; what is used of it here is the same.
    ...(options.tls === undefined ? {} : ({ https: options.tls } as object)),
    // Fastify's own logging makes a child logger for every request; what is worth a line is logged here.
    logger: false,
    bodyLimit: options.bodyBytesMax,
    connectionTimeout: gatewayLimits.stalledMs,
    keepAliveTimeout: gatewayLimits.keepAliveTimeoutMs,
    requestTimeout: gatewayLimits.requestTimeoutMs,
    routerOptions: { maxParamLength: gatewayLimits.pathPartCharactersMax },
    maxRequestsPerSocket: gatewayLimits.requestsPerSocketMax,
    http: { headersTimeout: gatewayLimits.headersTimeoutMs },
    forceCloseConnections: 'idle',
    // What still comes in on open connections while closing is answered, and the connection then ended.
    return503OnClosing: false,
    frameworkErrors: frameworkProblem,
    clientErrorHandler: answerClientError,
  });
  const positions = createPositionKeeper();
  tellProblems(app, options.bodyBytesMax, dependencies.log);
  const whenOver = watchEnds(app);
  boundConnections(app, whenOver);
  admitRequests(app, options, dependencies, whenOver);
  allowAddresses(app, options);
  // Plugins of others are there only when they are loaded: what comes behind them waits.
  app.register(
    inPlace(async () => {
      await allowOrigins(app, options);
      await limitRate(app, options);
      requireToken(app, options);
      takeBodies(app, options, whenOver);
      healthRoutes(app, dependencies);
      metricsRoutes(app, dependencies);
      contractRoutes(app);
      forwardRoutes(app, options, dependencies, positions);
      ingestRoutes(app, options, dependencies, positions);
    }),
  );
  return app;
}

/** Fastify gives a plugin an instance of its own, whose hooks nobody else has; one marked so shares that of its parent. */
function inPlace(plugin: () => Promise<void>): () => Promise<void> {
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}
