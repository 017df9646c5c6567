import { EmbedderError, type EmbedFailure } from '../embedder.ts';
import type { TokenBatch } from './engine.ts';

/** What an inference thread is sent: one batch at a time, then the order to end. */
export type ThreadRequest = { readonly kind: 'run'; readonly batch: TokenBatch } | { readonly kind: 'close' };

/** What it answers: `ready` or `failed` once after its start, then one answer for each batch. */
export type ThreadReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'vectors'; readonly vectors: Float32Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly failure: EmbedFailure };

/** Any error as data that can cross to another thread; what is not an `EmbedderError` may pass, so it is an outage. */
export function toFailure(error: unknown): EmbedFailure {
  if (!(error instanceof EmbedderError)) {
    return {
      kind: 'outage',
      message: `The embedded model failed: ${String(error)}. The same texts may be tried again.`,
    };
  }
  const { reason, message, textIndex } = error;
  return reason === 'text_refused' ? { kind: reason, message, textIndex } : { kind: reason, message };
}
