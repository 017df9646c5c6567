import type { LogConnection } from '../connection.ts';

const requestTimeoutMs = 10_000;

/** One `request()` of the client for each call: what a search through the bus is measured against. */
export function createEchoRequester(
  { nats }: LogConnection,
  subject: string,
): (body: Uint8Array) => Promise<Uint8Array> {
  return async (body) => (await nats.request(subject, body, { timeout: requestTimeoutMs })).data;
}

/** Answers every request on a subject with the same bytes; resolves when the server knows of it. */
export async function startEchoResponder({ nats }: LogConnection, subject: string, reply: Uint8Array): Promise<void> {
  nats.subscribe(subject, {
    callback: (error, message) => {
      if (error === null) message.respond(reply);
    },
  });
  await nats.flush();
}
