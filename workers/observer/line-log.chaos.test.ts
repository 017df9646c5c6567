import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { appendLine } from '../../streams/append.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog, type LogConnection } from '../../streams/connection.ts';
import { startProjector } from '../../streams/projector.ts';
import { provisionStreams } from '../../streams/provision.ts';
import { startTestServer, type TestServer } from '../../streams/testing/test-server.ts';
import type { LineStream } from './line-projection.ts';
import { recordingLog } from './testing/recording-log.ts';

const waitMs = 30_000;
const lineBytesMax = 1_000;
const lineFeed = 0x0a;

/** What is compiled is run: the sources can not be, on the oldest node that is supported. */
const observer = resolve(import.meta.dirname, '../../dist/workers/observer/main.js');

/** Children of a run that failed half way must not outlive it. */
const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

function startObserver(server: TestServer, dataDirectory: string): ChildProcess {
  const { servers, user, pass } = server.optionsFor('observer');
  const environment = {
    LAKEHOUSE_NATS_URL: servers,
    LAKEHOUSE_NATS_USER: user,
    LAKEHOUSE_NATS_PASSWORD: pass,
    LAKEHOUSE_DATA_DIR: dataDirectory,
    LAKEHOUSE_LOG_LEVEL: 'silent',
  };
  const child = spawn(process.execPath, [observer], { env: { ...process.env, ...environment }, stdio: 'ignore' });
  children.add(child);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
  const exited = once(child, 'exit');
  child.kill(signal);
  const [code] = await exited;
  return code;
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

const reach = (path: string, bytes: number) =>
  expect.poll(() => sizeOf(path), { timeout: waitMs, interval: 1 }).toBeGreaterThanOrEqual(bytes);

/** What the file has to be, from the stream itself. */
async function streamAsFile(connection: LogConnection, stream: LineStream): Promise<Buffer> {
  const { state } = await connection.manager.streams.info(stream);
  const parts: Uint8Array[] = [];
  const projector = startProjector({
    connection,
    stream,
    worker: 'test',
    checkpoint: 0,
    until: state.last_seq,
    log: recordingLog(),
    onPayload: ({ payload }) => void parts.push(payload, Uint8Array.of(lineFeed)),
  });
  await projector.finished;
  return Buffer.concat(parts);
}

/** Random bytes of random length; a line feed is what a line can not have. */
const lines = fc.uint8Array({ minLength: 1, maxLength: lineBytesMax, size: 'max' }).map((bytes) => {
  return bytes.map((byte) => (byte === lineFeed ? 0x0d : byte));
});

/** One of the two logs while rows are appended to it: its file has to be the beginning of `whole`. */
interface AppendedLog {
  readonly stream: LineStream;
  readonly path: string;
  readonly whole: () => Buffer;
  /** Appends rows in order, one behind the other. */
  append(rows: readonly Uint8Array[], onAck?: (row: number) => void): Promise<void>;
}

function appendedLog(connection: LogConnection, stream: LineStream, path: string): AppendedLog {
  const event = stream === 'REPLAY_RUNS' ? 'lakehouse.replay-run' : 'lakehouse.audit-baseline';
  const parts: Uint8Array[] = [];
  return {
    stream,
    path,
    whole: () => Buffer.concat(parts),
    append: async (rows, onAck = () => {}) => {
      for (const [at, row] of rows.entries()) {
        await appendLine(connection, event, row, `${stream}-${parts.length}`);
        parts.push(row, Uint8Array.of(lineFeed));
        onAck(at);
      }
    },
  };
}

async function run(options: { seed: number; kills: number; rowsPerRound: number }): Promise<void> {
  const { seed, kills, rowsPerRound } = options;
  await using server = await startTestServer();
  const folder = await mkdtemp(join(tmpdir(), 'lakehouse-chaos-'));
  const { servers: url, user, pass: password } = server.optionsFor('operator');
  const connection = await connectLog({ url, user, password, name: 'test', clock: systemClock });
  await provisionStreams(connection, { replicas: 1, streamBytes: {} });
  const logs = [
    appendedLog(connection, 'AUDIT_BASELINES', join(folder, '_kb', 'audit_baselines.jsonl')),
    appendedLog(connection, 'REPLAY_RUNS', join(folder, '_kb', 'replay_runs.jsonl')),
  ];
  // The rows of a round are shared by both logs, so that they grow side by side.
  const perLog = rowsPerRound / logs.length;
  const rows = fc.sample(lines, { seed, numRuns: perLog * logs.length * (kills + 1) });
  const rowsOf = (round: number, log: number) => {
    const from = (round * logs.length + log) * perLog;
    return rows.slice(from, from + perLog);
  };
  const moments = fc.sample(fc.nat(perLog - 1), { seed, numRuns: kills });
  const appendRound = (round: number, onAck?: (row: number) => void) =>
    Promise.all(logs.map((log, at) => log.append(rowsOf(round, at), at === 0 ? onAck : undefined)));
  const begun = (sizes: readonly number[]) =>
    Promise.all(logs.map(({ path }, at) => reach(path, (sizes[at] ?? 0) + 1)));

  for (const [round, moment] of moments.entries()) {
    const before = await Promise.all(logs.map(({ path }) => sizeOf(path)));
    // By turns: killed at a random row while rows are appended, and as soon as it begins to catch up with many.
    if (round % 2 === 0) {
      await Promise.all(logs.map((log) => log.append([Uint8Array.of(0x2d)])));
      const child = startObserver(server, folder);
      await begun(before);
      let killed: Promise<unknown> | undefined;
      await appendRound(round, (row) => {
        if (row === moment) killed = end(child, 'SIGKILL');
      });
      await killed;
    } else {
      await appendRound(round);
      const child = startObserver(server, folder);
      await begun(before);
      await end(child, 'SIGKILL');
    }
    for (const [at, log] of logs.entries()) {
      const found = await readFile(log.path);
      const told = `${log.path} after kill ${round + 1}, seed ${seed}`;
      expect(found.equals(log.whole().subarray(0, found.length)), told).toBe(true);
      expect(found.length, told).toBeGreaterThan(before[at] ?? 0);
    }
  }

  const child = startObserver(server, folder);
  await appendRound(kills);
  for (const log of logs) await reach(log.path, log.whole().length);
  expect(await end(child, 'SIGTERM')).toBe(0);
  for (const { stream, path, whole } of logs) {
    const stored = await streamAsFile(connection, stream);
    expect(stored.equals(whole()), `${stream}, seed ${seed}`).toBe(true);
    expect((await readFile(path)).equals(stored), `${path}, seed ${seed}`).toBe(true);
  }
  await connection.drain();
  await rm(folder, { recursive: true });
}

const seed = Number(process.env.LAKEHOUSE_SEED ?? Math.floor(Math.random() * 2 ** 31));

it('writes every row of both logs once and in order, without a fault', async () => {
  await run({ seed, kills: 0, rowsPerRound: 500 });
});

it(`writes 10,000 rows of both logs once and in order, killed twenty times (LAKEHOUSE_SEED=${seed})`, async () => {
  await run({ seed, kills: 20, rowsPerRound: 480 });
});
