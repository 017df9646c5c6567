import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lakehouseScript } from '../command/paths.ts';
import { exitCodes } from '../exit-codes.ts';
import type { StoryReport } from './story.ts';

/** Without settings of whoever runs the tests. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('LAKEHOUSE_') || name === 'LAKEHOUSE_NATS_SERVER'),
);

const deadlineMs = 180_000;

it('the demo holds every sentence of its story on a fresh system, and stops it', { timeout: deadlineMs }, async () => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'lakehouse-demo-test-'));
  const child = spawn(process.execPath, [lakehouseScript(), 'demo', '--json', '--data-dir', dataDirectory], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
  });
  try {
    const exitCode = await new Promise((resolve) => child.once('close', resolve));
    expect(stdout, stderr).toMatch(/^\{/);
    const { claims, ...report } = JSON.parse(stdout) as StoryReport & { fresh: boolean };
    expect(claims.filter(({ holds }) => !holds)).toEqual([]);
    expect(claims.length).toBeGreaterThanOrEqual(12);
    expect(report).toMatchObject({ fresh: true, holds: true, playbook_id: 'pb-1126c52bd106df6b' });
    expect(report.warm_distance).toBeCloseTo((report.cold_distance ?? Number.NaN) / 2, 4);
    expect(exitCode).toBe(exitCodes.done);
    expect(existsSync(join(dataDirectory, 'up.json'))).toBe(false);
  } finally {
    child.kill('SIGTERM');
    await rm(dataDirectory, { recursive: true, force: true });
  }
});
