import { Ollama } from 'ollama';
import type { Prompt } from './bundle.ts';

export const chatLimits = { deadlineMs: 240_000, replyTokensMax: 2_048 } as const;

/**
 * Asks a model through Ollama's chat, at temperature 0.
 * @throws what the client throws, and `TimeoutError` after the deadline
 */
export function createChat(
  host: string,
  deadlineMs: number = chatLimits.deadlineMs,
): (model: string, prompt: Prompt) => Promise<string> {
  return async (model, { system, user }) => {
    const signal = AbortSignal.timeout(deadlineMs);
    // The client has no deadline of its own.
    const client = new Ollama({ host, fetch: (input, init) => fetch(input, { ...init, signal }) });
    const reply = await client.chat({
      model,
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: user },
      ],
      stream: false,
      think: false,
      options: { temperature: 0, num_predict: chatLimits.replyTokensMax },
    });
    return reply.message.content;
  };
}
