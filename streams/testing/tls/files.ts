import { fileURLToPath } from 'node:url';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Certificates for tests, of an authority whose key is gone: for 127.0.0.1 and localhost, and known to nobody else. */
export const testCertificates = {
  caFile: path('ca.pem'),
  server: { certFile: path('server.pem'), keyFile: path('server.key.pem') },
  client: { certFile: path('client.pem'), keyFile: path('client.key.pem') },
} as const;
