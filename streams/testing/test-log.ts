import type { StreamName } from '../../schemas/catalog.ts';
import { decodeEvent } from '../../schemas/decode.ts';
import type { RejectedData } from '../../schemas/events/rejected.ts';
import { systemClock } from '../clock.ts';
import { connectLog, type LogConnection } from '../connection.ts';
import type { RuntimeLog } from '../logger.ts';
import { provisionStreams } from '../provision.ts';
import type { RoleName } from '../server/roles.ts';
import type { TopologyOptions } from '../topology.ts';
import { startTestServer, type TestServer } from './test-server.ts';

export const testTopology: TopologyOptions = { replicas: 1, streamBytes: {} };

/** A message as it lies in a stream. */
export interface StoredMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly messageId: string;
}

/** A real server with every stream, and connections to it as the processes have them. */
export interface TestLog extends AsyncDisposable {
  readonly server: TestServer;
  readonly operator: LogConnection;
  connectAs(role: Exclude<RoleName, 'producer'>): Promise<LogConnection>;
  /** All messages of a stream that are there, in order. */
  readAll(stream: StreamName): Promise<StoredMessage[]>;
  /** The rejections that REJECTED holds. */
  rejections(): Promise<RejectedData[]>;
  /** Everything that was logged by `log`. */
  readonly logged: { readonly message: string; readonly fields: object }[];
  readonly log: RuntimeLog;
}

export async function startTestLog(options: Partial<TopologyOptions> = {}): Promise<TestLog> {
  const server = await startTestServer();
  const connections: LogConnection[] = [];
  const connectAs = async (role: Exclude<RoleName, 'producer'>) => {
    const { user, pass: password } = server.optionsFor(role);
    const connection = await connectLog({ url: server.url, user, password, name: role, clock: systemClock });
    connections.push(connection);
    return connection;
  };
  const operator = await connectAs('operator');
  await provisionStreams(operator, { ...testTopology, ...options });
  const logged: TestLog['logged'] = [];
  const note = (fields: object, message: string) => {
    logged.push({ message, fields });
  };
  const readAll = (stream: StreamName) => readStream(operator, stream);
  return {
    server,
    operator,
    connectAs,
    readAll,
    rejections: async () => (await readAll('REJECTED')).flatMap(({ payload }) => readRejection(payload)),
    logged,
    log: { debug: note, info: note, warn: note, error: note },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(connections.map(({ nats }) => nats.close()));
      await server[Symbol.asyncDispose]();
    },
  };
}

const readTogether = 64;

export async function readStream({ manager }: LogConnection, stream: StreamName): Promise<StoredMessage[]> {
  const { state } = await manager.streams.info(stream, { deleted_details: true });
  const gone = new Set(state.deleted ?? []);
  const sequences: number[] = [];
  for (let at = state.first_seq; at <= state.last_seq; at++) if (at > 0 && !gone.has(at)) sequences.push(at);
  const messages: StoredMessage[] = [];
  for (let at = 0; at < sequences.length; at += readTogether) {
    const part = sequences.slice(at, at + readTogether).map((seq) => manager.streams.getMessage(stream, { seq }));
    for (const message of await Promise.all(part)) {
      const { seq: sequence, subject, data: payload } = message;
      messages.push({ sequence, subject, payload, messageId: message.header.get('Nats-Msg-Id') });
    }
  }
  return messages;
}

function readRejection(payload: Uint8Array): RejectedData[] {
  const decoded = decodeEvent('REJECTED', payload);
  if (!decoded.ok) throw new Error(`a rejection can not be read: ${decoded.message}`);
  return decoded.event.type === 'lakehouse.rejected' ? [decoded.event.data] : [];
}
