import type { Embedder } from './embedder.ts';
import type { MiniLmOptions } from './minilm/minilm.ts';
import type { OllamaOptions } from './ollama.ts';

/** Which embedder to use and how: it is always named, and when it does not work no other takes its place. */
export type EmbedderChoice =
  | ({ readonly kind: 'minilm' } & MiniLmOptions)
  | ({ readonly kind: 'ollama' } & OllamaOptions);

const neverAborted = new AbortController().signal;

/**
 * Makes the chosen embedder, ready to embed. Throws `EmbedderError` where its model is missing or, if the server has to be
 * asked for the dimension, where that does not answer; `TypeError` where an option makes no sense.
 */
export async function createEmbedder(choice: EmbedderChoice, signal: AbortSignal = neverAborted): Promise<Embedder> {
  // Only what is chosen is loaded: a machine for Ollama needs no native inference library.
  if (choice.kind === 'minilm') {
    const { createMiniLmEmbedder } = await import('./minilm/minilm.ts');
    return createMiniLmEmbedder(choice);
  }
  const { createOllamaEmbedder } = await import('./ollama.ts');
  return createOllamaEmbedder(choice, signal);
}
