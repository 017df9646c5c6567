import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exitCodes } from '../exit-codes.ts';
import { processStartTime } from '../supervise/process-identity.ts';
import type { StackRecord } from './running.ts';
import type { StackStatus } from './status.ts';
import { eventually, lakehouse, type StartedCommand, start, startedRecord } from './testing.ts';

describe('lakehouse up', () => {
  let dataDirectory = '';
  let up: StartedCommand;
  let record: StackRecord;
  const here = (...parameters: string[]) => lakehouse(...parameters, '--data-dir', dataDirectory);

  beforeAll(async () => {
    dataDirectory = await mkdtemp(join(tmpdir(), 'lakehouse-up-'));
    up = start(['up', '--json', '--quiet', '--port', '0', '--nats-port', '0', '--data-dir', dataDirectory]);
    record = await startedRecord(up);
  });

  afterAll(async () => {
    up.child.kill('SIGKILL');
    await here('stop');
    await rm(dataDirectory, { recursive: true, force: true });
  });

  it('tells its processes and where it answers', async () => {
    const names = record.processes.map(({ name }) => name);
    expect(names).toEqual(['nats-server', 'ingest', 'embed', 'index', 'playbook', 'observer', 'gateway']);
    expect((await fetch(`${record.gateway_url}/readyz`)).status).toBe(200);
    for (const { log_file } of record.processes) expect(existsSync(log_file)).toBe(true);
  });

  it('takes documents in and finds them', async () => {
    const seeded = await here('seed', '--count', '20', '--wait', '--json');
    expect(seeded.exitCode).toBe(exitCodes.done);
    expect(JSON.parse(seeded.stdout)).toMatchObject({ accepted: 20, searchable: 20, rejected: [] });
    const found = await here('search', 'Need 3 Forklift Operators in Aurora IL', '--k', '5', '--json');
    expect(found.exitCode).toBe(exitCodes.done);
    const { results } = JSON.parse(found.stdout) as { results: { id: string }[] };
    expect(results).toHaveLength(5);
  });

  it('refuses to run twice on one data directory, and leaves the first alone', async () => {
    const second = await here('up', '--port', '0', '--nats-port', '0');
    expect(second).toMatchObject({ exitCode: exitCodes.unreachable, stdout: '' });
    expect(second.stderr).toContain('it runs already');
    expect((await fetch(`${record.gateway_url}/readyz`)).status).toBe(200);
  });

  it('reference 10.52: refuses a port that is taken', async () => {
    const other = await mkdtemp(join(tmpdir(), 'lakehouse-up-'));
    const port = new URL(record.gateway_url).port;
    const refused = await lakehouse('up', '--port', port, '--nats-port', '0', '--data-dir', other);
    expect(refused.exitCode).toBe(exitCodes.unreachable);
    expect(refused.stderr).toContain(`port ${port} is taken`);
    expect(existsSync(join(other, 'up.json'))).toBe(false);
    await rm(other, { recursive: true });
  });

  it('starts a killed worker again, and tells so in the status', async () => {
    const killed = record.processes.find(({ name }) => name === 'ingest')?.pid ?? 0;
    process.kill(killed, 'SIGKILL');
    const again = await eventually(async () => {
      const { stdout } = await here('status', '--json');
      const status = JSON.parse(stdout) as StackStatus;
      const ingest = status.processes?.find(({ name }) => name === 'ingest');
      return status.ready && ingest?.pid !== killed ? ingest : undefined;
    });
    expect(again).toMatchObject({ name: 'ingest', ready: true });
    const seeded = await here('seed', '--count', '1', '--wait', '--json');
    expect(JSON.parse(seeded.stdout)).toMatchObject({ accepted: 1, searchable: 1 });
  });

  it('stops cleanly when it is told to, and leaves nothing running', async () => {
    const status = JSON.parse((await here('status', '--json')).stdout) as StackStatus;
    const ended = new Promise<number | null>((resolve) => up.child.once('exit', resolve));
    up.child.kill('SIGTERM');
    expect(await ended).toBe(exitCodes.done);
    const running = status.processes.filter(({ pid }) => pid !== null && processStartTime(pid) !== undefined);
    expect(running).toEqual([]);
    expect(await here('status')).toMatchObject({ exitCode: exitCodes.unreachable, stdout: '' });
    expect(await here('stop')).toMatchObject({ exitCode: exitCodes.unreachable, stdout: '' });
  });
});
