import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../streams/server/ports.ts';

const root = resolve(import.meta.dirname, '..');
const deadlineMs = 120_000;

/** The blocks of a page that a reader is meant to run, in order; `demo` and `test` are run by themselves. */
async function shellBlocks(page: string): Promise<string[]> {
  const text = await readFile(join(root, page), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);
}

function run(script: string, environment: Readonly<Record<string, string>>) {
  return new Promise<{ code: number | null; output: string }>((done, fail) => {
    const child = spawn('bash', ['-e', '-u', '-o', 'pipefail', '-c', script], {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: deadlineMs,
    });
    let output = '';
    child.stdout.on('data', (part) => {
      output += part;
    });
    child.stderr.on('data', (part) => {
      output += part;
    });
    child.once('error', fail);
    child.once('close', (code) => done({ code, output }));
  });
}

describe('the README and the page of the first day', () => {
  it('have commands that run as they stand there', { timeout: 3 * deadlineMs }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lakehouse-readme-'));
    const port = String(await findFreePort());
    const natsPort = String(await findFreePort());
    const environment = { LAKEHOUSE_DATA_DIR: join(directory, 'data'), LAKEHOUSE_GATEWAY_PORT: port };
    // Only where things listen is another than a reader's: theirs may be taken here.
    const placed = (block: string) =>
      block
        .replaceAll(':3110', `:${port}`)
        .replaceAll('first-day-backup', join(directory, 'backup'))
        .replaceAll('more-workers.ndjson', join(directory, 'more-workers.ndjson'))
        .replaceAll('127.0.0.1/4222', `127.0.0.1/${natsPort}`)
        .replace('up -- --detach', `up -- --detach --nats-port ${natsPort}`);
    const readme = await shellBlocks('README.md');
    const firstDay = await shellBlocks('scripts/first-day.md');
    const stops = readme.findIndex((block) => block.includes('run -s stop'));
    // The first day is lived on the stack that the README starts, before it stops it.
    const blocks = [...readme.slice(0, stops), ...firstDay, ...readme.slice(stops)];
    expect([readme.length >= 6, firstDay.length >= 16, stops > 0]).toEqual([true, true, true]);
    const outputs: string[] = [];
    try {
      for (const block of blocks) {
        const { code, output } = await run(placed(block), environment);
        outputs.push(output);
        expect(code, `${block}\n${output}`).toBe(0);
      }
    } finally {
      await run('npm run -s stop', environment);
      await rm(directory, { recursive: true, force: true });
    }
    const told = outputs.join('\n');
    expect(told).toContain('"searchable":2');
    expect(told).toMatch(/"corpus":"workers","accepted":\{"events":20[0-9]/);
    expect(told).toMatch(/"playbook_id":"pb-[0-9a-f]{16}"/);
    expect(told).toContain('"boosted":1');
    expect(told).toContain('The served state is the fold of the log.');
    expect(told).not.toContain('"type":"urn:lakehouse:problem');
  });
});
