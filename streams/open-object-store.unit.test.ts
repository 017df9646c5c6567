import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfiguration } from '../schemas/configuration.ts';
import { systemClock } from './clock.ts';
import { createLogger } from './logging.ts';
import { ObjectStoreError } from './object-store.ts';
import { openObjectStore } from './open-object-store.ts';

const secret = 'wJalrXUtnFEMI-s3cret';
let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lakehouse-open-'));
  await writeFile(join(directory, 'secret'), `${secret}\n`);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const configurationOf = (endpoint: string) =>
  readConfiguration({
    LAKEHOUSE_DATA_DIR: directory,
    LAKEHOUSE_OBJECT_STORE: 's3',
    S3_ENDPOINT: endpoint,
    S3_BUCKET: 'lakehouse',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY_FILE: join(directory, 'secret'),
  });

/** A server that answers every request with a status and an error of S3, and keeps what it was sent. */
async function refusing(status: number, code: string) {
  const requests: { url: string | undefined; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    requests.push({ url: request.url, authorization: request.headers.authorization });
    request.resume();
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>so it is</Message></Error>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    endpoint: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('the object store that is configured', () => {
  it('lies in the data directory', async () => {
    const store = await openObjectStore(readConfiguration({ LAKEHOUSE_DATA_DIR: directory }), systemClock);
    await store.put('a', [Buffer.from('x')]);
    expect(await store.list('')).toEqual([{ key: 'a', bytes: 1 }]);
  });

  it('tells a file of a secret that can not be read, or is empty', async () => {
    await writeFile(join(directory, 'secret'), '\n');
    await expect(openObjectStore(configurationOf('http://127.0.0.1:1'), systemClock)).rejects.toThrow('is empty');
    await rm(join(directory, 'secret'));
    await expect(openObjectStore(configurationOf('http://127.0.0.1:1'), systemClock)).rejects.toThrow(
      'can not be read',
    );
  });

  it.each([
    [403, 'AccessDenied', 'denied'],
    [404, 'NoSuchBucket', 'no_bucket'],
    [403, 'QuotaExceeded', 'full'],
    [503, 'SlowDown', 'unavailable'],
  ])('reference 10.42: told %d %s, it says %s, and no secret is in what is logged', async (status, code, fault) => {
    await using service = await refusing(status, code);
    const configuration = configurationOf(service.endpoint);
    const store = await openObjectStore(configuration, systemClock);
    const error = await store.put('a/b', [Buffer.from('x')]).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ObjectStoreError);
    expect(error).toMatchObject({ fault, message: expect.stringContaining(code) });
    const lines: string[] = [];
    const log = createLogger('test', 'info', { write: (line: string) => void lines.push(line) });
    log.error({ error, objectStore: configuration.objectStore, settings: { secretAccessKey: secret } }, 'it failed');
    expect(service.requests[0]?.authorization).toContain('AKIAEXAMPLE');
    expect(service.requests[0]?.url).toContain('/lakehouse/a/b');
    expect(lines.join('')).toContain(code);
    for (const hidden of [secret, 'AKIAEXAMPLE', 'Signature']) expect(lines.join('')).not.toContain(hidden);
  });

  it('reference 10.9: an object that is not there is told by its code, not by words', async () => {
    await using service = await refusing(404, 'NoSuchKey');
    const store = await openObjectStore(configurationOf(service.endpoint), systemClock);
    expect(await store.get('a')).toBeUndefined();
    expect(await store.readBack('a')).toBeUndefined();
  });
});
