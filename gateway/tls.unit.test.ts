import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { testCertificates } from '../streams/testing/tls/files.ts';
import { testGateway } from './app-fixtures.ts';

const { caFile, server } = testCertificates;
const tls = { cert: readFileSync(server.certFile), key: readFileSync(server.keyFile) };

describe('a gateway with a certificate', () => {
  it('answers over TLS to who trusts its authority, and to nobody without TLS', async () => {
    const { app } = testGateway({ options: { tls } });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    try {
      expect(url).toMatch(/^https:/);
      const sent = request(`${url}/v1/matrix/search`, { method: 'POST', ca: readFileSync(caFile) });
      sent.end('{}');
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(200);
      expect(await text(response)).toBe('{}');
      await expect(fetch(`${url}/healthz`)).rejects.toThrow();
      await expect(fetch(`${url.replace('https', 'http')}/healthz`)).rejects.toThrow();
    } finally {
      app.server.closeAllConnections();
      await app.close();
    }
  });
});
