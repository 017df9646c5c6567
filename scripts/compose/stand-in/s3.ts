import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

/**
 * Stands in for SeaweedFS where its image can not be had: as much of S3 as snapshots need, on the port and with the key
 * that the compose file gives it, over the folder of the same volume. It looks at the key's name and not at signatures:
 * what it shows is how the containers fit together, not that S3 is used right (`scripts/s3` shows that with a real one).
 */
const folder = '/data/buckets';
const port = 8333;
const accessKey = process.env.AWS_ACCESS_KEY_ID ?? '';

interface Asked {
  readonly request: IncomingMessage;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
}
interface Answer {
  readonly status: number;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const fileOf = ({ bucket, key }: Asked) => join(folder, bucket, encodeURIComponent(key));
const partsOf = ({ bucket, query }: Asked) => join(folder, `.${bucket}-${query.get('uploadId') ?? ''}`);
const xml = (text: string): Answer => ({ status: 200, body: `<?xml version="1.0"?>${text}` });
const refused = (status: number, code: string): Answer => ({ status, body: `<Error><Code>${code}</Code></Error>` });
let uploads = 0;

async function answer(asked: Asked): Promise<Answer> {
  const { request, bucket, key, query } = asked;
  if (!(request.headers.authorization ?? '').includes(`Credential=${accessKey}/`)) return refused(403, 'AccessDenied');
  if (key !== '') return onObject(asked);
  if (request.method === 'PUT') {
    await mkdir(join(folder, bucket), { recursive: true });
    return { status: 200 };
  }
  const names = await readdir(join(folder, bucket)).catch(() => undefined);
  if (names === undefined) return refused(404, 'NoSuchBucket');
  if (request.method === 'HEAD') return { status: 200 };
  if (query.has('uploads')) return xml('<ListMultipartUploadsResult></ListMultipartUploadsResult>');
  const prefix = query.get('prefix') ?? '';
  const keys = names.map(decodeURIComponent).filter((name) => name.startsWith(prefix));
  const sizes = await Promise.all(keys.map(async (name) => (await stat(fileOf({ ...asked, key: name }))).size));
  const contents = keys.sort().map((name, at) => `<Contents><Key>${name}</Key><Size>${sizes[at]}</Size></Contents>`);
  return xml(`<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`);
}

async function onObject(asked: Asked): Promise<Answer> {
  const { request, query } = asked;
  if (request.method === 'POST' && query.has('uploads')) {
    const id = `${process.pid}-${++uploads}`;
    await mkdir(join(folder, `.${asked.bucket}-${id}`), { recursive: true });
    return xml(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
  }
  if (request.method === 'POST') {
    const parts = (await readdir(partsOf(asked))).sort((one, other) => Number(one) - Number(other));
    await writeFile(
      fileOf(asked),
      Buffer.concat(await Promise.all(parts.map((part) => readFile(join(partsOf(asked), part))))),
    );
    await rm(partsOf(asked), { recursive: true });
    return xml('<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>');
  }
  if (request.method === 'PUT') {
    const part = query.get('partNumber');
    await writeFile(part === null ? fileOf(asked) : join(partsOf(asked), part), await buffer(request));
    return { status: 200, headers: { etag: '"e"' } };
  }
  if (request.method === 'DELETE') {
    await rm(query.has('uploadId') ? partsOf(asked) : fileOf(asked), { recursive: true, force: true });
    return { status: 204 };
  }
  const body = await readFile(fileOf(asked)).catch(() => undefined);
  return body === undefined ? refused(404, 'NoSuchKey') : rangeOf(body, request.headers.range);
}

function rangeOf(body: Buffer, range: string | undefined): Answer {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined) return { status: 200, body, headers: { etag: '"e"' } };
  const end = Math.min(body.length - 1, last === '' || last === undefined ? body.length - 1 : Number(last));
  if (Number(first) > end) return refused(416, 'InvalidRange');
  const headers = { etag: '"e"', 'content-range': `bytes ${first}-${end}/${body.length}` };
  return { status: 206, body: body.subarray(Number(first), end + 1), headers };
}

await mkdir(folder, { recursive: true });
createServer((request: IncomingMessage, response: ServerResponse) => {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://s3');
  const [bucket = '', ...rest] = pathname.slice(1).split('/').map(decodeURIComponent);
  if (pathname === '/status') return void response.end();
  answer({ request, bucket, key: rest.join('/'), query }).then(
    ({ status, body = '', headers = {} }) =>
      response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body),
    (error: unknown) =>
      response.writeHead(500).end(`<Error><Code>InternalError</Code><Message>${error}</Message></Error>`),
  );
}).listen(port, '0.0.0.0');
