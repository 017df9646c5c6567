import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { findFreePort, isPortFree } from './ports.ts';

describe('a port for a server that may be started again', () => {
  it('is not one that an outgoing connection may be given', async () => {
    const [first = ''] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
    for (const share of [0, 0.5, 0.999_999]) {
      const port = await findFreePort('127.0.0.1', starting(share));
      expect(port).toBeGreaterThanOrEqual(15_000);
      expect(port).toBeLessThan(Number(first));
    }
  });

  it('is given once, though nothing listens on it yet', async () => {
    const one = await findFreePort('127.0.0.1', starting(0.3));
    const other = await findFreePort('127.0.0.1', starting(0.3));
    expect(other).not.toBe(one);
    expect(await isPortFree(one)).toBe(true);
  });

  it('is not one on which something listens', async () => {
    const wanted = 0.7;
    const port = await findFreePort('127.0.0.1', starting(wanted));
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    expect(await isPortFree(port)).toBe(false);
    server.close();
    await once(server, 'close');
  });

  it('says so where none is free', async () => {
    const always = () => 0.9;
    await findFreePort('127.0.0.1', starting(0.9));
    await expect(findFreePort('127.0.0.1', always)).rejects.toThrow(
      /no port from 15000 to \d+ is free on 127\.0\.0\.1/,
    );
  });
});

/** Begins with a share and goes on from there, so that the first port may be taken by somebody else on this machine. */
function starting(share: number): () => number {
  let at = share;
  return () => {
    const now = at;
    at = (at + 0.000_123) % 1;
    return now;
  };
}
