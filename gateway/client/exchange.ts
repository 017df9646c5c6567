import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { formatPosition, joinPositions, type Position, parsePosition, positionHeader } from '../../schemas/position.ts';
import { GatewayError, GatewayUnreachableError, readProblem, type UnreachableReason } from './errors.ts';

export interface ExchangeOptions {
  /** Where the gateway listens, such as `http://127.0.0.1:3110`. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly deadlineMs: number;
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  readonly deadlineMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the call early. */
  readonly signal?: AbortSignal;
}

export interface Call<Schema extends z.ZodType> extends CallOptions {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly reply: Schema;
}

export interface Exchange {
  call<Schema extends z.ZodType>(call: Call<Schema>): Promise<z.output<Schema>>;
  /** The newest position of all answers so far; sent with every request. */
  readonly position: () => Position;
}

/** One gateway, spoken to over connections that are kept alive. */
export function createExchange(options: ExchangeOptions): Exchange {
  const send = options.fetch ?? fetch;
  const base = options.url.replace(/\/+$/, '');
  let position: Position = {};

  const headersOf = (call: CallOptions & { body?: unknown }): Record<string, string> => ({
    ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    ...(Object.keys(position).length === 0 ? {} : { [positionHeader]: formatPosition(position) }),
    ...call.headers,
  });

  const call: Exchange['call'] = async (request) => {
    const deadlineMs = request.deadlineMs ?? options.deadlineMs;
    const timeout = AbortSignal.timeout(deadlineMs);
    const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
    const url = `${base}${request.path}`;
    let response: Response;
    let text: string;
    try {
      const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
      response = await send(url, { method: request.method, headers: headersOf(request), signal, ...body });
      text = await response.text();
    } catch (error) {
      if (request.signal?.aborted === true) throw error;
      throw unreachable(base, error, deadlineMs);
    }
    const value = parseJson(text);
    if (!response.ok) throw errorOf(base, response, value);
    const answered = parsePosition(response.headers.get(positionHeader) ?? '');
    if (answered !== undefined) position = joinPositions(position, answered);
    const parsed = request.reply.safeParse(value);
    if (parsed.success) return parsed.data;
    const detail = `${url} answered ${response.status}, but not as this client knows it: ${parsed.error.issues[0]?.message}`;
    throw new GatewayUnreachableError(base, 'not-a-gateway', detail);
  };
  return { call, position: () => position };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(base: string, response: Response, value: unknown): Error {
  const problem = readProblem(response.status, value);
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  if (problem !== undefined) return new GatewayError(problem, Number.isFinite(retryAfter) ? retryAfter : undefined);
  const detail = `${base} answered ${response.status} without a problem document: that is no gateway of this system`;
  return new GatewayUnreachableError(base, 'not-a-gateway', detail);
}

function unreachable(base: string, error: unknown, deadlineMs: number): GatewayUnreachableError {
  const isTimeout = error instanceof Error && error.name === 'TimeoutError';
  const cause = error instanceof Error ? error.cause : undefined;
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : String(error);
  const reason: UnreachableReason = isTimeout ? 'deadline' : code === 'ECONNREFUSED' ? 'refused' : 'broken';
  const detail = {
    deadline: `${base} did not answer within ${deadlineMs} ms`,
    refused: `nothing listens at ${base}`,
    broken: `the connection to ${base} failed: ${code}`,
  }[reason];
  return new GatewayUnreachableError(base, reason, detail, { cause: error });
}

const retriedStatuses: readonly number[] = [429, 503, 504];
const retryFirstMs = 250;
const retryMaxMs = 5_000;

/**
 * Calls again while the gateway is away or asks for patience, with backoff, at most `attemptsMax` times. Only for what
 * may be done twice: a read, or a write with an `Idempotency-Key`.
 */
export async function withRetries<Value>(attemptsMax: number, attempt: () => Promise<Value>): Promise<Value> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      const waitMs = retryWaitMs(error, attempts);
      if (waitMs === undefined || attempts >= attemptsMax) throw error;
      await sleep(waitMs);
    }
  }
}

function retryWaitMs(error: unknown, attempts: number): number | undefined {
  const backoffMs = Math.min(retryFirstMs * 2 ** (attempts - 1), retryMaxMs);
  if (error instanceof GatewayUnreachableError) return error.reason === 'not-a-gateway' ? undefined : backoffMs;
  if (!(error instanceof GatewayError) || !retriedStatuses.includes(error.problem.status)) return undefined;
  return Math.min(Math.max(backoffMs, (error.retryAfterSeconds ?? 0) * 1_000), retryMaxMs);
}
