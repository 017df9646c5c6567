import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, isIPv6 } from 'node:net';

const lowest = 15_000;
/** Where Linux begins to take source ports of outgoing connections, if nothing else is said. */
const ephemeralFirstDefault = 32_768;
const triesMax = 1_000;

/** Whether a server could listen there now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A port for a server that may be started again on it. It is free now; no outgoing connection is given it while that
 * server is down, and no other caller of this function, in whatever process, while this process lives.
 * @throws Error where none is free
 */
export async function findFreePort(host = '127.0.0.1', random: () => number = Math.random): Promise<number> {
  const end = firstEphemeralPort();
  for (let tries = 0; tries < triesMax; tries++) {
    const port = lowest + Math.floor(random() * (end - lowest));
    if ((await reserve(port, host)) && (await isPortFree(port, host))) return port;
  }
  throw new Error(`no port from ${lowest} to ${end - 1} is free on ${host}`);
}

/**
 * The UDP port of the same number stands for the reservation: the system gives it to one process, and takes it back
 * however that ends. Nothing is sent to it.
 */
function reserve(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: host, exclusive: true }, () => {
      socket.unref();
      resolve(true);
    });
  });
}

/** Ports below are never the source of an outgoing connection, unless the system is told to take those from low ones. */
function firstEphemeralPort(): number {
  try {
    const [first = ''] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
    const port = Number(first);
    return port > lowest ? port : ephemeralFirstDefault;
  } catch {
    return ephemeralFirstDefault;
  }
}
