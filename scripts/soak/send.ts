import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const writeBytes = 64 * 1024;
const retriedStatuses: readonly (number | undefined)[] = [429, 503];

/** What an answer tells of a stream, whether it was taken to its end or not. */
const answerSchema = z.object({
  accepted: z.number(),
  refused: z.number(),
  next_line: z.number().optional(),
});

export interface SentLines {
  readonly accepted: number;
  readonly refused: number;
  readonly elapsedMs: number;
  /** How often the gateway asked to be given the rest later. */
  readonly heldBack: number;
}

/**
 * Sends lines as one NDJSON stream, as fast as the gateway takes them, and goes on where it asked to be given the rest
 * later. @throws Error where it does not take them
 */
export async function sendLines(gatewayUrl: string, corpus: string, lines: () => Iterable<string>): Promise<SentLines> {
  const began = performance.now();
  const key = randomUUID();
  let sent = { accepted: 0, refused: 0, heldBack: 0 };
  for (let from = 1; ; ) {
    const { status, retryAfterMs, body } = await sendFrom(gatewayUrl, corpus, key, lines(), from);
    const parsed = answerSchema.safeParse(JSON.parse(body));
    const nextLine = parsed.data?.next_line;
    if (!parsed.success || (status !== 202 && (!retriedStatuses.includes(status) || nextLine === undefined)))
      throw new Error(`the gateway answered ${status}: ${body.slice(0, 500)}`);
    sent = { ...sent, accepted: sent.accepted + parsed.data.accepted, refused: sent.refused + parsed.data.refused };
    if (nextLine === undefined) return { ...sent, elapsedMs: performance.now() - began };
    sent.heldBack++;
    from = nextLine;
    await delay(retryAfterMs);
  }
}

async function sendFrom(gatewayUrl: string, corpus: string, key: string, lines: Iterable<string>, from: number) {
  const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': key };
  const url = `${gatewayUrl}/v1/ingest/${corpus}?first_line=${from}`;
  const sending = request(url, { method: 'POST', agent: false, headers });
  // Reported by the answer that comes all the same.
  sending.on('error', () => undefined);
  let isAnswered = false;
  const answered = once(sending, 'response').finally(() => {
    isAnswered = true;
  });
  let chunk = '';
  const flush = async () => {
    const taken = sending.write(chunk);
    chunk = '';
    if (!taken) await Promise.race([once(sending, 'drain'), answered]);
  };
  let line = 0;
  for (const one of lines) {
    if (++line < from) continue;
    chunk += `${one}\n`;
    if (chunk.length >= writeBytes) await flush();
    if (isAnswered) break;
  }
  if (chunk !== '' && !isAnswered) await flush();
  if (!isAnswered) sending.end();
  const [response] = await answered;
  const body = await text(response);
  sending.destroy();
  return {
    status: response.statusCode as number | undefined,
    retryAfterMs: Number(response.headers['retry-after'] ?? 1) * 1_000,
    body,
  };
}
