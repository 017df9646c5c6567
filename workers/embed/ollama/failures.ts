import { EmbedderError, type EmbedFailure } from '../embedder.ts';
import { ReplyTooLongError } from './transport.ts';

/** Who is asked, as errors name it. */
export interface Upstream {
  readonly host: string;
  readonly model: string;
}

/** The HTTP status where the server answered with an error, else undefined. The client's error class is not exported. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status_code' in error)) return undefined;
  return typeof error.status_code === 'number' ? error.status_code : undefined;
}

/** Whether the server refused the texts themselves, so that fewer of them may pass. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  return status === 400 || status === 413 || status === 422;
}

/** Puts whatever the client threw into the terms of an embedder. */
export function toEmbedderError(error: unknown, upstream: Upstream, signal: AbortSignal): EmbedderError {
  if (error instanceof EmbedderError) return error;
  const failure = signal.aborted ? deadline(upstream) : fromError(error, upstream);
  return new EmbedderError(failure, { cause: error });
}

function fromError(error: unknown, { host, model }: Upstream): EmbedFailure {
  const status = statusOf(error);
  const words = error instanceof Error ? error.message : String(error);
  if (status !== undefined) return fromStatus(status, words, { host, model });
  if (error instanceof SyntaxError || error instanceof ReplyTooLongError) {
    return {
      kind: 'bad_reply',
      message:
        `What answered at ${host} did not send the JSON of an Ollama reply (${words}). ` +
        'Check that OLLAMA_HOST points to an Ollama server and that no proxy cuts its replies.',
    };
  }
  return {
    kind: 'outage',
    message: `Ollama at ${host} cannot be reached (${causeOf(error)}). Start it with \`ollama serve\`, or set OLLAMA_HOST to where it runs.`,
  };
}

function fromStatus(status: number, words: string, { host, model }: Upstream): EmbedFailure {
  if (status === 404) {
    return {
      kind: 'model_missing',
      message: `Ollama at ${host} does not have the model ${model}. Install it: \`ollama pull ${model}\``,
    };
  }
  const remedy =
    status === 503 || status === 429
      ? 'Its queue is full: the same request may pass later. OLLAMA_MAX_QUEUE and OLLAMA_NUM_PARALLEL set how much it takes.'
      : "The same request may pass later; the reason is in the server's own log.";
  return { kind: 'outage', message: `Ollama at ${host} answered ${status} (${words}). ${remedy}` };
}

function deadline({ host, model }: Upstream): EmbedFailure {
  return {
    kind: 'deadline',
    message:
      `Ollama at ${host} did not finish embedding with ${model} in time, or the caller went away. ` +
      'A model that is being loaded answers late: try again, with fewer texts or a longer deadline.',
  };
}

/** `fetch` says only that it failed; the reason is in its cause, and the one that helps is the system's code. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
