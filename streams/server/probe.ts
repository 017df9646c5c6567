import { connect } from 'node:net';
import { z } from 'zod';
import { serverLimits } from './limits.ts';

const greetingSchema = z.object({
  server_name: z.string(),
  version: z.string(),
  jetstream: z.boolean().optional(),
});

/** What a nats-server says to whoever connects, before any credentials. */
export interface ServerGreeting {
  readonly serverName: string;
  readonly version: string;
  readonly jetStream: boolean;
}

export interface ProbeOptions {
  readonly host?: string;
  readonly port: number;
  readonly timeoutMs?: number;
}

const greetingBytesMax = 64 * 1024;

/** Connects and reads the greeting; `undefined` when nothing answers there, or not like a nats-server. */
export function probeServer(options: ProbeOptions): Promise<ServerGreeting | undefined> {
  const { host = '127.0.0.1', port, timeoutMs = serverLimits.probeTimeoutMs } = options;
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    let received = '';
    const finish = (greeting: ServerGreeting | undefined) => {
      socket.destroy();
      resolve(greeting);
    };
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
      const end = received.indexOf('\r\n');
      if (end >= 0) finish(parseGreeting(received.slice(0, end)));
      else if (received.length > greetingBytesMax) finish(undefined);
    });
    socket.on('timeout', () => finish(undefined));
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
  });
}

/** Reads `INFO {...}`. */
export function parseGreeting(line: string): ServerGreeting | undefined {
  if (!line.startsWith('INFO ')) return undefined;
  try {
    const { server_name, version, jetstream } = greetingSchema.parse(JSON.parse(line.slice('INFO '.length)));
    return { serverName: server_name, version, jetStream: jetstream === true };
  } catch {
    return undefined;
  }
}
