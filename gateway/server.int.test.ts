import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort } from '../streams/server/ports.ts';
import { startService } from '../streams/service.ts';
import { eventually } from '../streams/testing/eventually.ts';
import { createGate } from '../streams/testing/gate.ts';
import { startTestLog, type TestLog } from '../streams/testing/test-log.ts';

const script = fileURLToPath(new URL('../dist/gateway/server.js', import.meta.url));
let testLog: TestLog;
beforeAll(async () => {
  testLog = await startTestLog();
});
afterAll(() => testLog[Symbol.asyncDispose]());

interface StartedGateway {
  readonly child: ChildProcess;
  readonly url: string;
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
}

/** The compiled gateway as a process of its own. */
async function startGateway(environment: Record<string, string> = {}): Promise<StartedGateway> {
  const { servers, user, pass } = testLog.server.optionsFor('gateway');
  const port = environment.LAKEHOUSE_GATEWAY_PORT ?? String(await findFreePort());
  const child = spawn(process.execPath, [script], {
    env: {
      ...process.env,
      LAKEHOUSE_NATS_URL: servers,
      LAKEHOUSE_NATS_USER: user,
      LAKEHOUSE_NATS_PASSWORD: pass,
      LAKEHOUSE_GATEWAY_PORT: port,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => {
      output += part;
    });
  const exitCode = once(child, 'close').then(([code]) => code as number | null);
  return { child, url: `http://127.0.0.1:${port}`, output: () => output, exitCode };
}

describe('the gateway as a process', () => {
  it('reference 10.42: told to stop, answers what is in work, ends with 0, and wrote a line for it without secrets', async () => {
    const connection = await testLog.connectAs('index');
    const asked = createGate();
    const held = createGate();
    const service = await startService({
      connection,
      name: 'matrix',
      version: '1.0.0',
      description: 'holds an answer back',
      log: testLog.log,
      requestsWaitingMax: 10,
      endpoints: {
        'svc.matrix.search': async () => {
          asked.open();
          await held.opened;
          return { body: '{"results":[]}' };
        },
      },
    });
    const { child, url, output, exitCode } = await startGateway({ LAKEHOUSE_TOKEN: 's3cret-token' });
    const isAlive = () =>
      fetch(`${url}/healthz`).then(
        (response) => response.ok,
        () => false,
      );
    await eventually('it listens', isAlive);
    const headers = { authorization: 'Bearer s3cret-token', 'x-lakehouse-trace-id': 'held-back' };
    const search = fetch(`${url}/v1/matrix/search`, { method: 'POST', headers, body: '{}' });
    await asked.opened;
    child.kill('SIGTERM');
    await eventually('it listens no more', async () => !(await isAlive()));
    held.open();
    const answer = await search;
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ results: [] });
    expect(await exitCode).toBe(0);
    await service.stop();

    const lines = output()
      .split('\n')
      .filter((line) => line.includes('"method"'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { method: 'POST', route: '/v1/matrix/search', status: 200, traceId: 'held-back', bytesIn: 2, bytesOut: 14 },
    ]);
    expect(output()).toContain('"msg":"stopped"');
    const secrets = ['s3cret-token', testLog.server.optionsFor('gateway').pass];
    for (const secret of secrets) expect(output()).not.toContain(secret);
  });

  it('reference 10.52: that can not have its port says so, and ends with 1', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const { output, exitCode } = await startGateway({ LAKEHOUSE_GATEWAY_PORT: port });
    expect(await exitCode).toBe(1);
    expect(output()).toContain(`can not listen on 127.0.0.1:${port}`);
    holder.close();
  });

  it('reference 10.55: refuses an address that others can reach without a token, and ends with 2', async () => {
    const { output, exitCode } = await startGateway({ LAKEHOUSE_GATEWAY_HOST: '0.0.0.0' });
    expect(await exitCode).toBe(2);
    expect(output()).toContain('LAKEHOUSE_TOKEN');
  });

  it('names the file of a certificate that it can not read, and ends with 2', async () => {
    const files = { LAKEHOUSE_TLS_CERT_FILE: '/nowhere/cert.pem', LAKEHOUSE_TLS_KEY_FILE: '/nowhere/key.pem' };
    const { output, exitCode } = await startGateway(files);
    expect(await exitCode).toBe(2);
    expect(output()).toContain('LAKEHOUSE_TLS_CERT_FILE');
  });
});
