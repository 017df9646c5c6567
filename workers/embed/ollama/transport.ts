import { ollamaLimits } from './limits.ts';

/**
 * A `fetch` for the Ollama client, which has no deadline of its own and prints what it cannot read. This one gives up when
 * `signal` aborts, reads no more bytes than the limits, and hands every error reply on as JSON, whatever it was.
 */
export function createTransport(signal: AbortSignal): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, signal });
    const { status, statusText } = response;
    if (response.ok) return new Response(limited(response.body, ollamaLimits.replyBytesMax), { status, statusText });
    const body = await new Response(limited(response.body, ollamaLimits.errorBytesMax)).text();
    const headers = { 'content-type': 'application/json' };
    return new Response(JSON.stringify({ error: errorText(body) || statusText || 'no reason given' }), {
      status,
      statusText,
      headers,
    });
  };
}

/** Ollama answers `{"error": "..."}`; what stands between may answer anything. */
function errorText(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) return quoted(String(parsed.error));
  } catch {
    // Not JSON: the text itself is the best there is.
  }
  return quoted(body);
}

function quoted(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, ollamaLimits.quotedCharactersMax);
}

/** Thrown where a reply is longer than any that could be right. */
export class ReplyTooLongError extends Error {
  override readonly name = 'ReplyTooLongError';
}

function limited(body: ReadableStream<Uint8Array> | null, bytesMax: number): ReadableStream<Uint8Array> | null {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw new ReplyTooLongError(`the reply is longer than ${bytesMax} bytes`);
      controller.enqueue(chunk);
    },
  });
  return body?.pipeThrough(counter) ?? null;
}
