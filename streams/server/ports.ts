import { createServer } from 'node:net';

/** Whether a server could listen there now. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await tryListening(port, host)) !== undefined;
}

/** A port that is free now. Another process may take it before it is used: where a server can choose, let it. */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  const port = await tryListening(0, host);
  if (port === undefined) throw new Error(`no port is free on ${host}`);
  return port;
}

function tryListening(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined));
    });
  });
}
