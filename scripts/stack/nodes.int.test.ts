import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exitCodes } from '../exit-codes.ts';
import type { StackStatus } from './status.ts';
import { eventually, lakehouse, start, startedRecord } from './testing.ts';

it('lakehouse up --nodes 3: every stream on three nodes, a killed node comes back, and stop ends all', async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'lakehouse-nodes-'));
  const here = (...parameters: string[]) => lakehouse(...parameters, '--data-dir', dataDirectory);
  const ports = ['--port', '0', '--nats-port', '0'];
  const up = start(['up', '--json', '--quiet', '--nodes', '3', ...ports, '--data-dir', dataDirectory]);
  try {
    const record = await startedRecord(up);
    expect(record.nodes).toBe(3);
    expect(record.gateway_urls).toHaveLength(2);
    const nodes = record.processes.filter(({ name }) => name.startsWith('nats-server'));
    expect(nodes.map(({ name }) => name)).toEqual(['nats-server-1', 'nats-server-2', 'nats-server-3']);

    process.kill(nodes[0]?.pid ?? 0, 'SIGKILL');
    const seeded = await here('seed', '--count', '20', '--wait', '--json');
    expect(JSON.parse(seeded.stdout)).toMatchObject({ accepted: 20, searchable: 20 });
    const status = await eventually(async () => {
      const seen = JSON.parse((await here('status', '--json')).stdout) as StackStatus;
      const current = seen.streams.every(({ replication }) => replication?.followers.every((one) => one.current));
      return seen.ready && current ? seen : undefined;
    });
    expect(status.streams.map(({ replication }) => replication?.followers.length)).toEqual(status.streams.map(() => 2));
    expect(status.processes.find(({ name }) => name === 'nats-server-1')?.pid).not.toBe(nodes[0]?.pid);
    for (const url of record.gateway_urls) expect((await fetch(`${url}/readyz`)).status).toBe(200);
    // The operator's own commands take the streams for what they were started as.
    expect(JSON.parse((await here('provision', '--json')).stdout)).toMatchObject({ updated: [], drift: [] });

    expect((await here('stop')).exitCode).toBe(exitCodes.done);
    expect(existsSync(join(dataDirectory, 'up.json'))).toBe(false);
    const other = await here('up', '--nodes', '1', ...ports);
    expect([other.exitCode, other.stderr]).toEqual([exitCodes.usage, expect.stringContaining('kept by 3 nodes')]);
  } finally {
    await here('stop');
    up.child.kill('SIGKILL');
    await rm(dataDirectory, { recursive: true, force: true });
  }
});
