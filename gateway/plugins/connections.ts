import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../../schemas/problems.ts';
import { gatewayLimits } from '../limits.ts';

/**
 * Bounds what connections take: how many there are, how many requests of one are unanswered (a client may send hundreds in
 * one piece and read nothing), and how long a client may read nothing of an answer that is on its way to it. A request that
 * is still worked on is not hurried: its own deadline ends it.
 */
export function boundConnections(app: FastifyInstance): void {
  const { connectionsMax, requestsPerConnectionMax, stalledMs } = gatewayLimits;
  app.server.maxConnections = connectionsMax;
  const unanswered = new WeakMap<Socket, number>();
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    const before = unanswered.get(socket) ?? 0;
    unanswered.set(socket, before + 1);
    reply.raw.once('close', () => unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1));
    // Without a listener Node.js would end the connection, whatever it waits for.
    reply.raw.on('timeout', () => {
      if (socket.writableLength > 0) socket.destroy();
      else socket.setTimeout(stalledMs);
    });
    if (before < requestsPerConnectionMax) return done();
    const detail = `${before} requests of this connection are not answered yet; read their answers before you send more`;
    done(new ProblemError('overloaded', detail));
  });
}
