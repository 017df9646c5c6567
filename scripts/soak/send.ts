import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type IngestStreamReply, ingestStreamReplySchema } from '../../schemas/requests/ingest.ts';

const writeBytes = 64 * 1024;

/** Sends lines as one NDJSON stream, as fast as the gateway takes them. @throws Error where it does not take them all */
export async function sendLines(
  gatewayUrl: string,
  corpus: string,
  lines: Iterable<string>,
): Promise<{ reply: IngestStreamReply; elapsedMs: number }> {
  const began = performance.now();
  const headers = { 'content-type': 'application/x-ndjson' };
  const sent = request(`${gatewayUrl}/v1/ingest/${corpus}`, { method: 'POST', agent: false, headers });
  const answered = once(sent, 'response');
  let chunk = '';
  const flush = async () => {
    const taken = sent.write(chunk);
    chunk = '';
    if (!taken) await Promise.race([once(sent, 'drain'), answered]);
  };
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length >= writeBytes) await flush();
  }
  if (chunk !== '') await flush();
  sent.end();
  const [response] = await answered;
  const body = await text(response);
  const elapsedMs = performance.now() - began;
  if (response.statusCode !== 202)
    throw new Error(`the gateway answered ${response.statusCode}: ${body.slice(0, 500)}`);
  return { reply: ingestStreamReplySchema.parse(JSON.parse(body)), elapsedMs };
}
