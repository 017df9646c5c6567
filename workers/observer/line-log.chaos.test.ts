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
import { recordingLog } from './testing/recording-log.ts';

const waitMs = 30_000;
const lineBytesMax = 4_000;
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
async function streamAsFile(connection: LogConnection): Promise<Buffer> {
  const { state } = await connection.manager.streams.info('REPLAY_RUNS');
  const parts: Uint8Array[] = [];
  const projector = startProjector({
    connection,
    stream: 'REPLAY_RUNS',
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

async function run(options: { seed: number; kills: number; linesPerRound: number }): Promise<void> {
  const { seed, kills, linesPerRound } = options;
  await using server = await startTestServer();
  const folder = await mkdtemp(join(tmpdir(), 'lakehouse-chaos-'));
  const path = join(folder, '_kb', 'replay_runs.jsonl');
  const { servers: url, user, pass: password } = server.optionsFor('operator');
  const connection = await connectLog({ url, user, password, name: 'test', clock: systemClock });
  await provisionStreams(connection, { replicas: 1, streamBytes: {} });
  const rows = fc.sample(lines, { seed, numRuns: linesPerRound * (kills + 1) });
  const moments = fc.sample(fc.nat(linesPerRound - 1), { seed, numRuns: kills });
  const appendRound = async (round: number, onAck: (count: number) => void = () => {}) => {
    for (let n = 0; n < linesPerRound; n++) {
      const row = rows[round * linesPerRound + n] ?? new Uint8Array();
      await appendLine(connection, 'lakehouse.replay-run', row, `${round}-${n}`);
      onAck(n);
    }
  };

  for (const [round, moment] of moments.entries()) {
    const before = await sizeOf(path);
    // By turns: killed at a random line while lines are appended, and as soon as it begins to catch up with many.
    if (round % 2 === 0) {
      await appendLine(connection, 'lakehouse.replay-run', Uint8Array.of(0x2d), `first-${round}`);
      const child = startObserver(server, folder);
      await reach(path, before + 1);
      let killed: Promise<unknown> | undefined;
      await appendRound(round, (n) => {
        if (n === moment) killed = end(child, 'SIGKILL');
      });
      await killed;
    } else {
      await appendRound(round);
      const child = startObserver(server, folder);
      await reach(path, before + 1);
      await end(child, 'SIGKILL');
    }
    const found = await readFile(path);
    const whole = await streamAsFile(connection);
    expect(found.equals(whole.subarray(0, found.length)), `after kill ${round + 1}, seed ${seed}`).toBe(true);
    expect(found.length).toBeGreaterThan(before);
  }

  const child = startObserver(server, folder);
  await appendRound(kills);
  const whole = await streamAsFile(connection);
  await reach(path, whole.length);
  expect(await end(child, 'SIGTERM')).toBe(0);
  expect((await readFile(path)).equals(whole), `seed ${seed}`).toBe(true);
  await connection.drain();
  await rm(folder, { recursive: true });
}

const seed = Number(process.env.LAKEHOUSE_SEED ?? Math.floor(Math.random() * 2 ** 31));

it('writes every line once and in order, without a fault', async () => {
  await run({ seed, kills: 0, linesPerRound: 500 });
});

it(`writes every line once and in order, killed ten times (LAKEHOUSE_SEED=${seed})`, async () => {
  await run({ seed, kills: 10, linesPerRound: 200 });
});
