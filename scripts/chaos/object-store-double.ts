import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What the store does to every request.
 * - `down`: the connection is closed without an answer
 * - `unavailable`: 503
 * - `slow`: a while goes by before each answer
 * - `forgetful`: what is written is answered for, and gone
 */
export type StoreFault = 'down' | 'unavailable' | 'slow' | 'forgetful';

/** As much of S3 as snapshots need, in memory; it looks at no signatures. A real one is met in `scripts/s3`. */
export interface ObjectStoreDouble extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  readonly objects: ReadonlyMap<string, Buffer>;
  readonly requests: () => number;
  fail(fault: StoreFault | undefined): void;
  remove(key: string): void;
}

const bucket = 'snapshots';
const slowMs = 250;

export async function startObjectStoreDouble(): Promise<ObjectStoreDouble> {
  const objects = new Map<string, Buffer>();
  let fault: StoreFault | undefined;
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    void answer(request, response, objects, fault).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    environment: {
      LAKEHOUSE_OBJECT_STORE: 's3',
      S3_ENDPOINT: `http://127.0.0.1:${port}`,
      S3_BUCKET: bucket,
      AWS_ACCESS_KEY_ID: 'chaos',
      AWS_SECRET_ACCESS_KEY: 'chaos-secret',
    },
    objects,
    requests: () => requests,
    fail: (chosen) => {
      fault = chosen;
    },
    remove: (key) => objects.delete(key),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  objects: Map<string, Buffer>,
  fault: StoreFault | undefined,
): Promise<void> {
  if (fault === 'down') return void request.socket.destroy();
  const body = await buffer(request);
  if (fault === 'unavailable') return xml(response, 503, '<Error><Code>SlowDown</Code></Error>');
  if (fault === 'slow') await delay(slowMs);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://store');
  const key = decodeURIComponent(pathname).replace(`/${bucket}`, '').replace(/^\//, '');
  if (key === '' && searchParams.has('uploads')) return xml(response, 200, '<ListMultipartUploadsResult/>');
  if (key === '') return xml(response, 200, listing(objects, searchParams.get('prefix') ?? ''));
  if (request.method === 'PUT') {
    if (fault !== 'forgetful') objects.set(key, body);
    return void response.writeHead(200, { etag: '"e"' }).end();
  }
  if (request.method === 'DELETE') {
    objects.delete(key);
    return void response.writeHead(204).end();
  }
  const found = objects.get(key);
  if (found === undefined) return xml(response, 404, '<Error><Code>NoSuchKey</Code></Error>');
  return sendRange(response, found, request.headers.range);
}

function listing(objects: ReadonlyMap<string, Buffer>, prefix: string): string {
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  const contents = keys.map(
    (key) => `<Contents><Key>${key}</Key><Size>${objects.get(key)?.byteLength ?? 0}</Size></Contents>`,
  );
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
}

function xml(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${text}`);
}

function sendRange(response: ServerResponse, body: Buffer, range: string | undefined): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined) {
    response.writeHead(200, { etag: '"e"', 'content-length': body.byteLength }).end(body);
    return;
  }
  const from = Number(first);
  const to = last === '' ? body.byteLength - 1 : Math.min(body.byteLength - 1, Number(last));
  if (from > to) {
    xml(response, 416, '<Error><Code>InvalidRange</Code></Error>');
    return;
  }
  const part = body.subarray(from, to + 1);
  const range206 = `bytes ${from}-${to}/${body.byteLength}`;
  response.writeHead(206, { etag: '"e"', 'content-range': range206, 'content-length': part.byteLength }).end(part);
}
