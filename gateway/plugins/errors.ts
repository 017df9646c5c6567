import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, ProblemError, problem } from '../../schemas/problems.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { headerOf, problemBody, problemType } from '../replies.ts';
import { asksToContinue, bodyTooLarge, maySendOn } from './body.ts';

/** Every failure becomes a problem, and none shows how it came about: that is in the log. */
export function tellProblems(app: FastifyInstance, bodyBytesMax: number, log: RuntimeLog): void {
  const routes: { method: string; pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    // Preflights of any path; that answers nobody's question.
    if (url === '*') return;
    const pattern = new RegExp(`^${url.replace(/:[a-z]+/g, '[^/]+')}$`);
    for (const one of [method].flat()) routes.push({ method: one, pattern });
  });
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const shown = problemOf(error, bodyBytesMax);
    if (shown.status === 500 && !(error instanceof ProblemError))
      log.error({ error, traceId: request.traceId }, 'a request met an error of the gateway');
    connectionAfter(request, reply);
    return reply.send(problemBody(reply, shown));
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (allowed.length === 0)
      return reply.send(problemBody(reply, problem('not_found', `nothing answers at ${path.slice(0, 200)}`)));
    reply.header('allow', allowed.join(', '));
    const detail = `${path.slice(0, 200)} takes ${allowed.join(', ')}, not ${request.method}`;
    return reply.send(problemBody(reply, problem('method_not_allowed', detail)));
  });
}

/** Failures of the framework that come before any hook: a path that can not be decoded and the like. */
export function frameworkProblem(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  reply.send(problemBody(reply, problemOf(error, 0)));
}

function problemOf(error: FastifyError | ProblemError, bodyBytesMax: number): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return bodyTooLarge(bodyBytesMax).problem;
  const { statusCode } = error;
  if (statusCode === 415)
    return problem('unsupported_media_type', 'the content type can not be read; send application/json');
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return problem('bad_request', error.message);
  return problem('internal', 'this request met an error of the gateway; its log tells more');
}

/**
 * What is left of a refused body is read and let go, so that the client gets to the answer: closing on it would reset
 * the connection and lose that. A body that was asked for and not granted never comes, so there the connection ends.
 */
function connectionAfter(request: FastifyRequest, reply: FastifyReply): void {
  if (asksToContinue(headerOf(request, 'expect'))) reply.header('connection', 'close');
  else reply.removeHeader('connection');
}

/** What is no HTTP, or comes too slowly: answered on the bare connection, which ends. Streams may take their time. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && maySendOn(socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const shown = clientProblem(error.code);
  const body = JSON.stringify(shown);
  socket.end(
    `HTTP/1.1 ${shown.status} ${shown.title}\r\ncontent-type: ${problemType}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function clientProblem(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return problem('request_timeout', 'the request did not come in whole in the time that is given to it');
  if (code === 'HPE_HEADER_OVERFLOW') return problem('headers_too_large', 'the headers are longer than is taken');
  return problem('bad_request', 'what came is not a request of HTTP/1.1');
}
