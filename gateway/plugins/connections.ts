import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../../schemas/problems.ts';
import { gatewayLimits } from '../limits.ts';
import type { WhenOver } from './when-over.ts';

const unanswered = Symbol('unanswered');

/** A connection, and how many of its requests are not answered yet. */
interface CountedSocket extends Socket {
  [unanswered]?: number;
}

/**
 * Bounds what connections take: how many there are, how many requests of one are unanswered (a client may send hundreds in
 * one piece and read nothing), and how long a client may read nothing of an answer that is on its way to it. A request that
 * is still worked on is not hurried: its own deadline ends it.
 */
export function boundConnections(app: FastifyInstance, whenOver: WhenOver): void {
  const { connectionsMax, requestsPerConnectionMax, stalledMs } = gatewayLimits;
  app.server.maxConnections = connectionsMax;
  // Where nobody listened, Node.js would end the connection, whatever it waits for.
  app.server.on('timeout', (socket: CountedSocket) => {
    if (unansweredOf(socket) === 0 || socket.writableLength > 0) socket.destroy();
    else socket.setTimeout(stalledMs);
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const socket: CountedSocket = request.raw.socket;
    const before = unansweredOf(socket);
    socket[unanswered] = before + 1;
    if (before < requestsPerConnectionMax) return done();
    const detail = `${before} requests of this connection are not answered yet; read their answers before you send more`;
    done(new ProblemError('overloaded', detail));
  });
  whenOver(({ raw }) => {
    const socket: CountedSocket = raw.socket;
    socket[unanswered] = unansweredOf(socket) - 1;
  });
}

function unansweredOf(socket: CountedSocket): number {
  return socket[unanswered] ?? 0;
}
