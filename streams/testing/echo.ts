import { connect } from 'nats';
import { type ConnectOptions, inboxPrefixOf, type LogConnection } from '../connection.ts';

const requestTimeoutMs = 10_000;

/** One `request()` of a client for each call: what a search through the bus is measured against. */
export type EchoRequester = (body: Uint8Array) => Promise<Uint8Array>;

type EchoOptions = Pick<ConnectOptions, 'url' | 'user' | 'password'> & {
  readonly subject: string;
  /** The client as it comes keeps a stack trace for every request, which tells where one that failed was made. */
  readonly traces: boolean;
};

/** Connects a client of its own, with nothing set but who it is and whether it keeps traces. */
export async function connectEchoRequester({ url, user, password, subject, traces }: EchoOptions) {
  const nats = await connect({
    servers: url.split(','),
    inboxPrefix: inboxPrefixOf(user),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(traces ? {} : { noAsyncTraces: true }),
  });
  const request: EchoRequester = async (body) =>
    (await nats.request(subject, body, { timeout: requestTimeoutMs })).data;
  return request;
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
