import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NatsTls } from '../schemas/configuration.ts';
import { systemClock } from './clock.ts';
import { connectLog, jetStreamRoundTrip } from './connection.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';
import { testCertificates } from './testing/tls/files.ts';

const { caFile, server: ofServer, client } = testCertificates;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ tls: { ...ofServer, caFile } });
});
afterAll(() => server[Symbol.asyncDispose]());

async function connectWith(tls: NatsTls | undefined): Promise<string> {
  const { user, pass: password } = server.optionsFor('operator');
  const connection = await connectLog({ url: server.url, user, password, name: 'test', clock: systemClock, tls });
  await jetStreamRoundTrip(connection);
  const found = connection.nats.info?.tls_required === true ? 'encrypted' : 'plain';
  await connection.drain();
  return found;
}

describe('a connection to NATS over TLS', () => {
  it('is made with the authority and a certificate of its own', async () => {
    expect(await connectWith({ caFile, ...client })).toBe('encrypted');
  });

  it('is not made to a server that the authority did not sign', async () => {
    await expect(connectWith({ ...client })).rejects.toThrow();
    await expect(connectWith(undefined)).rejects.toThrow();
  });
});
