import type { PrefixScheme, Space } from '../../schemas/space.ts';

/** Whether a text is something to be found or something to find it by: models with a prefix scheme mark the two apart. */
export type EmbedKind = 'document' | 'query';

/** `vectors` and `truncated` have the length and the order of the texts that were given. */
export interface EmbedResult {
  /** One vector for each text, of length `space.dimension` and of Euclidean norm 1. */
  readonly vectors: Float32Array[];
  /** True where the model saw only the beginning of the text. */
  readonly truncated: boolean[];
}

/** Makes vectors of one space out of texts. */
export interface Embedder {
  readonly space: Space;
  /** What computes the vectors, for people and for statistics: `minilm` or `ollama`. */
  readonly name: string;
  /**
   * Embeds all texts or none. `kind` decides the prefix where the space has a prefix scheme.
   * Throws `EmbedderError` and nothing else; `signal` aborting is reason `deadline`.
   */
  embed(texts: readonly string[], kind: EmbedKind, signal: AbortSignal): Promise<EmbedResult>;
  close(): Promise<void>;
}

/**
 * Why texts could not be embedded.
 * - `outage`: what computes the vectors is away or too busy; the same request may succeed later.
 * - `model_missing`: the model or its files are not there, or are damaged; somebody has to install them.
 * - `bad_reply`: an answer came, but it is not vectors of this space; none of it may be used.
 * - `text_refused`: one text cannot be embedded and never will be; `textIndex` is its place in the request
 *   (undefined where the request held no text at all).
 * - `deadline`: the time that was allowed is over, or the caller has gone.
 */
export type EmbedFailure =
  | { readonly kind: 'outage' | 'model_missing' | 'bad_reply' | 'deadline'; readonly message: string }
  | { readonly kind: 'text_refused'; readonly message: string; readonly textIndex: number | undefined };

/** The only error that an embedder throws; the message tells what happened and what to do. */
export class EmbedderError extends Error {
  override readonly name = 'EmbedderError';
  readonly reason: EmbedFailure['kind'];
  readonly textIndex: number | undefined;

  constructor(failure: EmbedFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.reason = failure.kind;
    this.textIndex = failure.kind === 'text_refused' ? failure.textIndex : undefined;
  }
}

const prefixes: Record<PrefixScheme, Record<EmbedKind, string>> = {
  none: { document: '', query: '' },
  nomic: { document: 'search_document: ', query: 'search_query: ' },
};

/** What the scheme puts before a text of this kind; empty for `none`. */
export function prefixFor(scheme: PrefixScheme, kind: EmbedKind): string {
  return prefixes[scheme][kind];
}

/** The model that a request means: an absent or empty name is the model of the space. */
export function effectiveModel(requested: string | undefined, space: Space): string {
  return requested === undefined || requested === '' ? space.model : requested;
}

/** Throws `text_refused` where there is no text, or where one is empty or nothing but white space. */
export function checkTexts(texts: readonly string[]): void {
  if (texts.length === 0) {
    throw new EmbedderError({
      kind: 'text_refused',
      message: 'There is nothing to embed: the list of texts is empty. Send at least one text.',
      textIndex: undefined,
    });
  }
  const textIndex = texts.findIndex((text) => text.trim() === '');
  if (textIndex === -1) return;
  throw new EmbedderError({
    kind: 'text_refused',
    message: `Text ${textIndex} is empty, and an empty text has no meaning to embed. Leave it out.`,
    textIndex,
  });
}

/** Throws `deadline` where the signal has aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortedError(signal);
}

/** Settles as `work` does, or throws `deadline` as soon as the signal aborts; the work itself is not stopped. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortedError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function abortedError(signal: AbortSignal): EmbedderError {
  return new EmbedderError(
    { kind: 'deadline', message: 'Embedding was given up: its deadline passed or its caller went away.' },
    { cause: signal.reason },
  );
}
