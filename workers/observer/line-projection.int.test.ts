import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { appendLine } from '../../streams/append.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog } from '../../streams/connection.ts';
import { provisionStreams } from '../../streams/provision.ts';
import { startTestServer } from '../../streams/testing/test-server.ts';
import { startLineProjection } from './line-projection.ts';
import { recordingLog } from './testing/recording-log.ts';

/** Lengths and bytes without a pattern, but for line feeds; the same for the same number. */
function row(n: number): Buffer {
  const bytes = Buffer.from(Array.from({ length: 1 + ((n * 7_919) % 400) }, (_, at) => (n * 31 + at * 17) % 256));
  return bytes.map((byte) => (byte === 0x0a ? 0x0d : byte)) as Buffer;
}

it('writes every line once, in order, wherever it was stopped', async () => {
  await using server = await startTestServer();
  const folder = await mkdtemp(join(tmpdir(), 'lakehouse-lines-'));
  const path = join(folder, '_kb', 'audit_baselines.jsonl');
  const { servers: url, user, pass: password } = server.optionsFor('operator');
  const connection = await connectLog({ url, user, password, name: 'test', clock: systemClock });
  await provisionStreams(connection, { replicas: 1, streamBytes: {} });
  const log = recordingLog();

  const rows = Array.from({ length: 600 }, (_, n) => row(n));
  // Stopped before its first line, in the middle of appends, at once, and when all is written.
  for (const [first, last, stopAfter] of [
    [0, 50, 0],
    [50, 200, 75],
    [200, 200, 0],
    [200, 450, 150],
    [450, 600, 149],
  ] as const) {
    const projection = await startLineProjection({ connection, log }, 'AUDIT_BASELINES', path);
    let stopped: Promise<void> | undefined;
    for (let n = first; n < last; n++) {
      await appendLine(connection, 'lakehouse.audit-baseline', rows[n] ?? Buffer.from(''), `row-${n}`);
      if (n - first === stopAfter) stopped = projection.stop();
    }
    await (stopped ?? projection.stop());
  }
  const projection = await startLineProjection({ connection, log }, 'AUDIT_BASELINES', path);
  await expect.poll(() => projection.lines(), { timeout: 10_000, interval: 5 }).toBe(rows.length);
  await projection.stop();

  const expected = Buffer.concat(rows.flatMap((one) => [one, Buffer.from('\n')]));
  expect((await readFile(path)).equals(expected)).toBe(true);
  expect(log.lines).toEqual([]);
  await connection.drain();
  await rm(folder, { recursive: true });
});
