import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../schemas/problems.ts';
import type { GatewayOptions } from '../dependencies.ts';
import { gatherBytes } from '../gathered-bytes.ts';
import { headerOf, jsonType } from '../replies.ts';
import { type BodyShare, createBodyBudget } from './body-budget.ts';
import { isOpenPath } from './open-paths.ts';
import type { WhenOver } from './when-over.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the body holds of the bytes that all bodies together may take; given back when the request is over. */
    bodyShare: BodyShare;
  }
}

type BodyOptions = Pick<GatewayOptions, 'bodyBytesMax' | 'bodiesBytesMax'>;

/**
 * Takes bodies as bytes, whatever they are called, and only as many as are allowed: one whose length is announced is
 * refused before it is read (a client that asked with `Expect: 100-continue` never sends it), a chunked one is cut off
 * at the limit. All bodies together take `bodiesBytesMax` at most; beyond that requests are told to come again. What a
 * streamed body holds is accounted by whoever reads it.
 */
export function takeBodies(app: FastifyInstance, options: BodyOptions, whenOver: WhenOver): void {
  const { bodyBytesMax } = options;
  const budget = createBodyBudget(options.bodiesBytesMax);
  app.decorateRequest('bodyShare');
  app.removeAllContentTypeParsers();
  // A type that is named is looked up. For any other the framework parses the header of each request.
  for (const type of [jsonType, '*'])
    app.addContentTypeParser(type, (request, payload, done) => {
      if (isStreamed(request)) done(null, payload);
      else collect(payload, request.bodyShare, options, done);
    });
  app.addHook('onRequest', (request, reply, done) => {
    const encoding = headerOf(request, 'content-encoding');
    if (encoding !== undefined && !isPlain.test(encoding)) return done(bodyEncoded(reply));
    const announced = Number(headerOf(request, 'content-length') ?? 0);
    const isBuffered = !isStreamed(request);
    if (isBuffered && announced > bodyBytesMax) return done(bodyTooLarge(bodyBytesMax));
    request.bodyShare = budget.share();
    // Held is what has come in: a client that announces much and sends it slowly takes nobody's room.
    if (isBuffered && budget.held() + announced > budget.bytesMax && !isOpenPath(request.url))
      return done(bodiesTooMany(options.bodiesBytesMax));
    done();
  });
  whenOver((request) => request.bodyShare?.release());
  // Registered, so that Node.js leaves the decision to the hooks: the last of them grants it.
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', (request, reply, done) => {
    if (asksToContinue(headerOf(request, 'expect'))) {
      reply.raw.writeContinue();
      // From here on it is a request like any other: its body comes.
      delete request.raw.headers.expect;
    }
    done();
  });
}

/** Reads a whole body. What comes behind a refusal flows on, and is let go. */
function collect(
  payload: IncomingMessage,
  share: BodyShare,
  { bodyBytesMax, bodiesBytesMax }: BodyOptions,
  done: (error: Error | null, body?: Buffer) => void,
): void {
  const gathered = gatherBytes();
  const finish = (error: Error | null) => {
    payload.off('data', onData).off('end', onEnd).off('error', onError);
    // An error that comes later has been answered already.
    if (error !== null) payload.on('error', () => undefined);
    done(error, gathered.take());
  };
  const onData = (chunk: Buffer) => {
    const bytes = gathered.length() + chunk.length;
    if (bytes > bodyBytesMax) return finish(bodyTooLarge(bodyBytesMax));
    if (!share.resize(bytes)) return finish(bodiesTooMany(bodiesBytesMax));
    gathered.add(chunk);
  };
  const onEnd = () => finish(null);
  const onError = (error: Error) => finish(new ProblemError('bad_request', `the body broke off: ${error.message}`));
  payload.on('data', onData).on('end', onEnd).on('error', onError);
}

/** Media types of an ingest body that is read while it comes in, however long it is. */
export type StreamFormat = 'ndjson' | 'csv';
const streamFormats: Readonly<Record<string, StreamFormat>> = {
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'text/csv': 'csv',
};
const streamedRoute = '/v1/ingest/:corpus';

/** Undefined where the body is read whole. */
export function streamFormatOf(request: FastifyRequest): StreamFormat | undefined {
  const type = headerOf(request, 'content-type');
  if (type === undefined || type === jsonType) return undefined;
  const [essence = ''] = type.split(';');
  return streamFormats[essence.trim().toLowerCase()];
}

function isStreamed(request: FastifyRequest): boolean {
  // What the route is comes last: asking for that costs more than the rest.
  return (
    request.method === 'POST' && streamFormatOf(request) !== undefined && request.routeOptions.url === streamedRoute
  );
}

const openEnded = new WeakSet<Socket>();

/** The request on this connection may take as long as it keeps sending; whoever reads it watches over that. */
export function takeAnyTime(socket: Socket): void {
  openEnded.add(socket);
}

export function maySendOn(socket: Socket): boolean {
  return openEnded.has(socket);
}

/** The next request on the connection is one like any other. */
export function takeUsualTime(socket: Socket): void {
  openEnded.delete(socket);
}

const isPlain = /^\s*(identity)?\s*$/i;

/** Bodies are not unpacked: some kilobytes may be gigabytes, and what is packed would be taken for what it is not. */
function bodyEncoded(reply: FastifyReply): ProblemError {
  reply.header('accept-encoding', 'identity');
  return new ProblemError('unsupported_media_type', 'a body is taken as it is, without Content-Encoding');
}

export function bodyTooLarge(bodyBytesMax: number): ProblemError {
  const detail =
    `a body may have ${bodyBytesMax} bytes at most (LAKEHOUSE_BODY_BYTES_MAX): send less at a time, or documents of ` +
    'any number as a stream (application/x-ndjson)';
  return new ProblemError('payload_too_large', detail, { body_bytes_max: bodyBytesMax });
}

function bodiesTooMany(bodiesBytesMax: number): ProblemError {
  const detail = `the bodies that are in work take the ${bodiesBytesMax} bytes that they may (LAKEHOUSE_BODIES_BYTES_MAX); try again shortly`;
  return new ProblemError('overloaded', detail);
}

export function asksToContinue(expect: string | undefined): boolean {
  return expect !== undefined && /100-continue/i.test(expect);
}
