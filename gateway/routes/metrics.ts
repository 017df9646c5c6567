import type { FastifyInstance } from 'fastify';
import type { GatewayDependencies } from '../dependencies.ts';

/** `GET /metrics`: everything that this process tells of itself, in the text format of Prometheus. */
export function metricsRoutes(app: FastifyInstance, { telemetry }: Pick<GatewayDependencies, 'telemetry'>): void {
  const { metrics } = telemetry;
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.text();
    return reply.header('content-type', metrics.registry.contentType).send(text);
  });
}
