import { execFile } from 'node:child_process';
import { chmod, mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { provisionStreams } from '../../../streams/provision.ts';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import { createHistory } from '../../testing/history.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { checkNoCrash } from '../oracles/alive.ts';
import { attempt, check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { createProducer, type Producer } from '../producer.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const execute = promisify(execFile);
const mebibyte = 1024 * 1024;
const scales = {
  short: { documents: 300, roomBytes: 24 * mebibyte, ingestBytes: 256 * 1024, diskToo: false },
  long: { documents: 5_000, roomBytes: 96 * mebibyte, ingestBytes: 4 * mebibyte, diskToo: true },
} as const;
const corpus = 'workers';
/** So much of the disk is left when it is filled. */
const leaveBytes = 2 * mebibyte;
/** Too small for any snapshot of these corpora. */
const snapshotsBytes = 16 * 1024;
const snapshotIntervalMs = 300;
const searchableMs = 10_000;
const noticeDeadlineMs = 20_000;
const fillDeadlineMs = 15_000;
const fullDiskMs = 20_000;
const recoverDeadlineMs = 30_000;
const lookEveryMs = 50;

/** F12: no room is left under the snapshots, and then under the log. */
export const diskFull: FaultRow = {
  fault: 'F12',
  title: 'the disk full under the snapshot directory, and under the JetStream store',
  passes:
    'it is noticed and said, searches go on, work resumes when there is room again, and nothing acknowledged is lost',
  mutations: [
    { name: 'snapshot-failure-kills', breaks: 'a snapshot that can not be taken ends its worker' },
    { name: 'refusal-taken-for-done', breaks: 'what a full log refuses is taken for done' },
  ],
  run,
};

/** A folder with a limit of its own. */
interface Room extends AsyncDisposable {
  readonly path: string;
  grow(bytes: number): Promise<void>;
}

/** A small tmpfs; where this user may not mount, a folder that can not be written to until it grows. */
async function createRoom(path: string, bytes: number, isFull: boolean): Promise<Room> {
  await mkdir(path, { recursive: true });
  const mounted = await execute('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]).then(
    () => true,
    () => false,
  );
  if (!mounted && isFull) await chmod(path, 0o500);
  return {
    path,
    grow: async (wanted) => {
      if (mounted) await execute('mount', ['-o', `remount,size=${wanted}`, path]);
      else await chmod(path, 0o700);
    },
    [Symbol.asyncDispose]: async () => {
      if (mounted) await execute('umount', ['--lazy', path]);
    },
  };
}

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault, scale } = context;
  const { documents, roomBytes, ingestBytes, diskToo } = scales[scale];
  await using disk = await createRoom(join(directory, 'store'), roomBytes, false);
  await using snapshots = await createRoom(
    join(directory, 'data', 'snapshots'),
    fault ? snapshotsBytes : roomBytes,
    fault,
  );
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    server: { within: disk.path },
    topology: fault ? { streamBytes: { INGEST: ingestBytes } } : {},
    environments: { index: { LAKEHOUSE_SNAPSHOT_INTERVAL_MS: String(snapshotIntervalMs) } },
  });
  const producer = createProducer({ client: stack.client, corpus, name: `f12-${seed}`, batch: 100 });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const query = createVectorSource({ dimension: ownDimension, clusters: 8, seed })(1);
  await producer.send(history.first());
  // What is asked from here on has its corpus; where the index worker is gone already, that is what is to be found.
  await within(searchableMs, async () => (await searchStatus(stack, query)) === 200);
  const checks: Check[] = [];
  if (fault) checks.push(...(await snapshotsFull(stack, snapshots, query, roomBytes)));
  else checks.push(await snapshotTaken(stack));
  context.report('the snapshot directory was full');
  const fill: Fill = { say: () => history.changes(100), query };
  if (fault && checks.every(({ held }) => held)) {
    checks.push(...(await logFull(stack, producer, fill)));
    context.report('the log was full');
  }
  let serverRestarts = 0;
  if (fault && diskToo && checks.every(({ held }) => held)) {
    checks.push(await diskUnderLogFull(stack, producer, fill, disk));
    serverRestarts++;
    context.report('the disk under the log was full');
  }
  if (checks.every(({ held }) => held)) {
    await producer.send(history.changes(documents));
    checks.push(...(await checkDigest(stack)));
  }
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  return {
    checks: [...checks, ...acknowledged.checks, checkNoCrash(stack)],
    counts: {
      documents: producer.documents(),
      requestsSentAgain: producer.retries(),
      refusals: [...producer.refusals.values()].reduce((sum, times) => sum + times, 0),
      serverRestarts,
      acknowledgedLost: acknowledged.lost,
    },
  };
}

async function snapshotTaken({ client }: ChaosStack): Promise<Check> {
  return attempt('a snapshot is taken', async () => {
    const taken = await within(recoverDeadlineMs, async () => (await client.indexInfo()).snapshot !== null);
    return { held: taken, seen: taken ? 'it was' : `not within ${recoverDeadlineMs} ms` };
  });
}

async function snapshotsFull(stack: ChaosStack, snapshots: Room, query: Float32Array, bytes: number): Promise<Check[]> {
  const said = await attempt('a full snapshot directory is said in the log', async () => {
    const noticed = await within(noticeDeadlineMs, async () =>
      (await stack.of('index').readLog()).includes('a snapshot could not be taken'),
    );
    return { held: noticed, seen: noticed ? 'it was' : `not within ${noticeDeadlineMs} ms` };
  });
  const answered = await searchStatus(stack, query);
  await snapshots.grow(bytes);
  if (!said.held) return [said];
  return [said, check('searches go on meanwhile', answered === 200, `status ${answered}`), await snapshotTaken(stack)];
}

interface Fill {
  readonly say: () => Parameters<Producer['send']>[0];
  readonly query: Float32Array;
}

/** Says things without end; the returned function ends it, behind what was said last. */
function keepSaying(producer: Producer, { say }: Fill): () => Promise<void> {
  let ceased = false;
  const saying = (async () => {
    while (!ceased) await producer.send(say());
  })();
  return async () => {
    ceased = true;
    await saying;
  };
}

/** Fills INGEST up to its byte limit, and raises that as an operator does. */
async function logFull(stack: ChaosStack, producer: Producer, fill: Fill): Promise<Check[]> {
  const cease = keepSaying(producer, fill);
  const told = await within(fillDeadlineMs, async () => producer.refusals.size > 0);
  const statuses = [...producer.refusals.keys()];
  const answered = await searchStatus(stack, fill.query);
  await provisionStreams(stack.operator, { replicas: 1, streamBytes: {} });
  const before = producer.acknowledged.length;
  const resumed = await within(recoverDeadlineMs, async () => producer.acknowledged.length > before);
  await cease();
  return [
    check(
      'a full log is told to whoever appends, and never acknowledged',
      told && statuses.every((status) => status === 429 || status >= 503),
      `statuses ${statuses.join(', ') || 'none'}`,
    ),
    check('searches go on while the log is full', answered === 200, `status ${answered}`),
    check('appending goes on when the limit was raised', resumed, String(resumed)),
  ];
}

/**
 * Fills the disk under the log and makes room again. nats-server 2.9 does not come back from that by itself: it is started
 * again, as whoever supervises it has to.
 */
async function diskUnderLogFull(stack: ChaosStack, producer: Producer, fill: Fill, disk: Room): Promise<Check> {
  const { bavail, bsize } = await statfs(disk.path);
  const ballast = join(disk.path, 'ballast');
  await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes)));
  const cease = keepSaying(producer, fill);
  await delay(fullDiskMs);
  await rm(ballast);
  await stack.server.kill9();
  await stack.server.restart();
  const before = producer.acknowledged.length;
  const resumed = await within(recoverDeadlineMs, async () => producer.acknowledged.length > before);
  if (resumed) await cease();
  return check(
    'appending goes on when the disk has room again and nats-server was started again',
    resumed,
    `statuses meanwhile ${[...producer.refusals.keys()].join(', ') || 'none'}`,
  );
}

/** 0: no answer came. */
async function searchStatus({ url }: ChaosStack, query: Float32Array): Promise<number> {
  const response = await fetch(`${url}/v1/matrix/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query_vector: [...query], corpora: [corpus], k: 10 }),
  }).catch(() => undefined);
  await response?.body?.cancel();
  return response?.status ?? 0;
}

async function within(milliseconds: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (performance.now() < deadline) {
    if (await isSo().catch(() => false)) return true;
    await delay(lookEveryMs);
  }
  return false;
}
