import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { operations } from '../../schemas/operations.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../chaos/stack.ts';

const secrets = {
  token: 'tok-5f1c9a40d2e84b1f',
  secondaryToken: 'tok-old-7731bd20c5aa',
  metricsToken: 'tok-metrics-18ef2270',
  secretAccessKey: 's3-secret-99ab12cd34ef',
  sessionToken: 's3-session-0a1b2c3d4e5f',
};

/** A store that refuses everything, and repeats the token that it was sent, as S3 does. */
async function startRefusingStore() {
  const met = { requests: 0 };
  const server = createServer((request, response) => {
    met.requests++;
    const token = request.headers['x-amz-security-token'];
    const said = `<Error><Code>InvalidToken</Code><Message>The provided token ${token} is malformed</Message><Token-0>${token}</Token-0></Error>`;
    request.resume();
    response.writeHead(400, { 'content-type': 'application/xml', 'x-amz-request-id': 'r-1' }).end(said);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, met, [Symbol.asyncDispose]: stop };
}

/** Everything that a caller was told: bodies and headers. */
async function liveThrough({ url, urlOf }: ChaosStack): Promise<string[]> {
  const told: string[] = [];
  const ask = async (
    target: string,
    authorization?: string,
    body?: string,
    method = body === undefined ? 'GET' : 'POST',
  ) => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await fetch(target, { method, headers, ...(body === undefined ? {} : { body }) });
    told.push(JSON.stringify([target, answer.status, [...answer.headers], await answer.text()].slice(1)));
    return answer.status;
  };
  const vector = Buffer.from(Float32Array.from({ length: ownDimension }, (_, at) => at + 1).buffer).toString('base64');
  const document = JSON.stringify({ id: 'w-1', vector, space: ownSpace });
  const right = `Bearer ${secrets.token}`;
  expect(await ask(`${url}/v1/ingest/workers?wait=searchable`, right, document)).toBe(200);
  expect(await ask(`${url}/v1/ingest/workers`, `Bearer ${secrets.secondaryToken}`, document)).toBe(202);
  for (const { method, path, requests } of operations) {
    const target = `${url}${path.replace(/\{\w+\}/g, 'workers')}`;
    const body = requests === undefined ? undefined : '{"malformed":';
    for (const authorization of [
      right,
      undefined,
      `${right}x`,
      `Basic ${secrets.token}`,
      `Bearer ${secrets.metricsToken}`,
    ])
      await ask(target, authorization, body, method);
  }
  // What a caller writes into a path is told back to that caller alone; no log has it.
  await fetch(`${url}/v1/nothing?token=${secrets.token}`);
  await fetch(`${url}/v1/ingest/${secrets.token}/x?access_token=${secrets.secondaryToken}`);
  for (const name of ['ingest', 'embed', 'index', 'observer'] as const) {
    await ask(`${urlOf(name)}/metrics`, `Bearer ${secrets.token}`);
    await ask(`${urlOf(name)}/metrics`, `Bearer ${secrets.metricsToken}`);
  }
  return told;
}

/** Where a secret stands, as itself or as it is written in URLs and base64. */
function placesOf(secret: string, texts: ReadonlyMap<string, string>): string[] {
  const written = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')];
  return [...texts].flatMap(([name, text]) => {
    const at = written.map((form) => text.indexOf(form)).find((place) => place >= 0);
    return at === undefined ? [] : [`${name}: ${text.slice(Math.max(0, at - 80), at)}...`];
  });
}

it('no log and no answer holds a secret, whatever goes wrong', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-secrets-'));
  try {
    await using store = await startRefusingStore();
    await using stack = await startChaosStack({
      directory,
      processes: ['ingest', 'embed', 'index', 'observer'],
      environment: {
        LAKEHOUSE_TOKEN: secrets.token,
        LAKEHOUSE_SECONDARY_TOKENS: secrets.secondaryToken,
        LAKEHOUSE_METRICS_TOKEN: secrets.metricsToken,
        LAKEHOUSE_OBJECT_STORE: 's3',
        S3_ENDPOINT: store.url,
        S3_BUCKET: 'lakehouse',
        AWS_ACCESS_KEY_ID: 'AKIATEST',
        AWS_SECRET_ACCESS_KEY: secrets.secretAccessKey,
        AWS_SESSION_TOKEN: secrets.sessionToken,
        LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '200',
        LAKEHOUSE_LOG_LEVEL: 'trace',
        LAKEHOUSE_REQUEST_LOG: 'true',
      },
    });
    const answers = await liveThrough(stack);
    await eventually('the store was asked, and refused', () => store.met.requests > 0);
    await stack.server.kill9();
    await fetch(`${stack.url}/v1/index/info`, { headers: { authorization: `Bearer ${secrets.token}` } });
    await stack.server.restart();
    await eventually('it is back', () => stack.of('index').isReady());
    // One that is not let in says so, without what it said.
    const wrong = 'pass-wrong-3c4d5e6f';
    await stack.add('ingest-2', { LAKEHOUSE_NATS_PASSWORD: wrong }).catch(() => undefined);
    await Promise.all(stack.all().map((one) => one.terminate()));

    const texts = new Map([['answers', answers.join('\n')]]);
    for (const one of stack.all()) texts.set(one.name, await one.readLog());
    texts.set('nats-server', await readFile(join(stack.server.directory, 'nats-server.log'), 'utf8'));
    for (const name of await readdir(stack.dataDirectory, { recursive: true }))
      texts.set(`data/${name}`, await readFile(join(stack.dataDirectory, name), 'latin1').catch(() => ''));
    // The control: these are the logs of what happened.
    expect(texts.get('gateway')).toContain('/v1/index/info');
    expect(texts.get('index')).toContain('The provided token');
    const { passwords, clusterPassword } = stack.server.credentials;
    const all = [...Object.values(secrets), ...Object.values(passwords), clusterPassword, wrong];
    expect(all.flatMap((secret) => placesOf(secret, texts))).toEqual([]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
