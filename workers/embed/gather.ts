import type { EmbedResult } from './embedder.ts';

interface Waiting {
  readonly text: string;
  readonly resolve: (made: { vector: Float32Array; truncated: boolean }) => void;
  readonly reject: (error: unknown) => void;
}

export const gatherTextsMax = 16;

/**
 * Gathers single texts into batches: what waits while one batch is being embedded goes into the next. At most one batch
 * is under way, so that a query that comes in between waits for no more than that.
 * @param embed makes the vectors of a batch, in order
 */
export function createGatherer(
  embed: (texts: readonly string[]) => Promise<EmbedResult>,
): (text: string) => Promise<{ vector: Float32Array; truncated: boolean }> {
  const queue: Waiting[] = [];
  let busy = false;

  const run = async () => {
    busy = true;
    // Whatever arrives in this turn of the event loop belongs together.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) await embedTogether(queue.splice(0, gatherTextsMax), embed);
    busy = false;
  };

  return (text) =>
    new Promise((resolve, reject) => {
      queue.push({ text, resolve, reject });
      if (!busy) void run();
    });
}

/** One text that the embedder refuses must not take the others with it: after a failure they go one by one. */
async function embedTogether(
  batch: readonly Waiting[],
  embed: (texts: readonly string[]) => Promise<EmbedResult>,
): Promise<void> {
  try {
    const { vectors, truncated } = await embed(batch.map((waiting) => waiting.text));
    batch.forEach((waiting, index) => {
      const vector = vectors[index];
      if (vector === undefined) waiting.reject(new RangeError('fewer vectors than texts'));
      else waiting.resolve({ vector, truncated: truncated[index] ?? false });
    });
  } catch (error) {
    const [only] = batch;
    if (batch.length === 1) return only?.reject(error);
    for (const waiting of batch) {
      if (isRefusal(error)) await embedTogether([waiting], embed);
      else waiting.reject(error);
    }
  }
}

function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'reason' in error && error.reason === 'text_refused';
}
