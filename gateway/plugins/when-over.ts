import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What is done when a request is over. */
type Ending = (request: FastifyRequest, reply: FastifyReply) => void;

/** Takes what is done then, in the order in which it is given. */
export type WhenOver = (ending: Ending) => void;

const exchange = Symbol('exchange');

interface WatchedResponse extends ServerResponse {
  [exchange]?: FastifyReply | undefined;
}

/**
 * Watches for the end of each request: answered, or its client gone, which no hook of the framework tells. Declare it before
 * what asks for it.
 *
 * What is done then is said once, of any request, and what it needs of one lies in the request as plain values. Closures that
 * a request holds lead from one request to the next for the collector of the young: once one lies in the old space, it keeps
 * alive and copies megabytes that nobody needs.
 */
export function watchEnds(app: FastifyInstance): WhenOver {
  const endings: Ending[] = [];
  function end(this: WatchedResponse): void {
    const reply = this[exchange];
    this[exchange] = undefined;
    if (reply !== undefined) for (const ending of endings) ending(reply.request, reply);
  }
  app.addHook('onRequest', (_request, reply, done) => {
    const response: WatchedResponse = reply.raw;
    response[exchange] = reply;
    response.on('close', end);
    done();
  });
  return (ending) => void endings.push(ending);
}
