import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../../schemas/problems.ts';
import type { GatewayOptions } from '../dependencies.ts';
import { headerOf } from '../replies.ts';

/**
 * Takes bodies as bytes, whatever they are called, and only as many as are allowed: one whose length is announced is
 * refused before it is read (a client that asked with `Expect: 100-continue` never sends it), a chunked one is cut off
 * at the limit.
 */
export function takeBodies(app: FastifyInstance, { bodyBytesMax }: Pick<GatewayOptions, 'bodyBytesMax'>): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyBytesMax }, (_request, body, done) => {
    done(null, body);
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const announced = headerOf(request, 'content-length');
    if (announced === undefined || Number(announced) <= bodyBytesMax) return done();
    done(bodyTooLarge(bodyBytesMax));
  });
  // Registered, so that Node.js leaves the decision to the hooks: the last of them grants it.
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', (request, reply, done) => {
    if (asksToContinue(headerOf(request, 'expect'))) reply.raw.writeContinue();
    done();
  });
}

export function bodyTooLarge(bodyBytesMax: number): ProblemError {
  const detail = `a body may have ${bodyBytesMax} bytes at most (LAKEHOUSE_BODY_BYTES_MAX): send less at a time`;
  return new ProblemError('payload_too_large', detail, { body_bytes_max: bodyBytesMax });
}

export function asksToContinue(expect: string | undefined): boolean {
  return expect !== undefined && /100-continue/i.test(expect);
}
