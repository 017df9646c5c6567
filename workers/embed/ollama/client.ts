import { Ollama } from 'ollama';
import { EmbedderError } from '../embedder.ts';
import { isRefusal, toEmbedderError, type Upstream } from './failures.ts';
import { isSameModel } from './models.ts';
import { createTransport } from './transport.ts';

/** A text that no healthy embedding model refuses. */
const probeText = 'hello';

/**
 * One `/api/embed` request. Returns what the server sent as `embeddings`, not yet checked. Throws `EmbedderError`, or the
 * client's own error where the server refused the texts (see `isRefusal`).
 */
export async function requestEmbeddings(
  upstream: Upstream,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<unknown> {
  const client = new Ollama({ host: upstream.host, fetch: createTransport(signal) });
  try {
    const reply: unknown = await client.embed({ model: upstream.model, input: [...texts], truncate: true });
    return embeddingsOf(reply, upstream);
  } catch (error) {
    if (isRefusal(error) && !signal.aborted) throw error;
    throw toEmbedderError(error, upstream, signal);
  }
}

function embeddingsOf(reply: unknown, { host, model }: Upstream): unknown {
  const badReply = (what: string): EmbedderError =>
    new EmbedderError({
      kind: 'bad_reply',
      message: `${host} gave an answer that cannot be used: ${what}. Check that OLLAMA_HOST points to an Ollama server with ${model}.`,
    });
  if (typeof reply !== 'object' || reply === null) throw badReply('it is not a JSON object');
  if (!('model' in reply) || typeof reply.model !== 'string') throw badReply('it names no model');
  if (!isSameModel(reply.model, model))
    throw badReply(`the model ${reply.model.slice(0, 100)} answered, ${model} was asked`);
  return 'embeddings' in reply ? reply.embeddings : undefined;
}

/**
 * Whose fault a refusal is: the text's, or the model's or server's where a harmless text is refused as well, as by a model
 * that cannot embed at all. The first is `text_refused`, the second an `outage` that somebody has to look at.
 */
export async function explainRefusal(
  upstream: Upstream,
  refusal: unknown,
  textIndex: number,
  signal: AbortSignal,
): Promise<EmbedderError> {
  const { host, model } = upstream;
  const words = refusal instanceof Error ? refusal.message : String(refusal);
  try {
    await requestEmbeddings(upstream, [probeText], signal);
  } catch (error) {
    if (!isRefusal(error)) return toEmbedderError(error, upstream, signal);
    const message =
      `Ollama at ${host} refuses every text for the model ${model} (${words}). ` +
      `Check that it is an embedding model: \`ollama show ${model}\` lists what it can do.`;
    return new EmbedderError({ kind: 'outage', message }, { cause: refusal });
  }
  const message = `Ollama at ${host} refuses a text for the model ${model} (${words}). Change that text or leave it out.`;
  return new EmbedderError({ kind: 'text_refused', message, textIndex }, { cause: refusal });
}

/** Embeds one harmless text and returns its vector as the server sent it. */
export async function requestProbe(upstream: Upstream, signal: AbortSignal): Promise<unknown> {
  try {
    return await requestEmbeddings(upstream, [probeText], signal);
  } catch (refusal) {
    throw isRefusal(refusal) ? await explainRefusal(upstream, refusal, 0, signal) : refusal;
  }
}
