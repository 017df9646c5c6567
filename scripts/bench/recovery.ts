import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type IndexInfo, indexInfoSchema } from '../../schemas/requests/index.ts';
import { findFreePort } from '../../streams/server/ports.ts';
import { createServiceClient, type ServiceClient } from '../../streams/service-client.ts';
import { messageSchema, type Task } from '../../workers/rebuild/task.ts';
import { type ChaosProcess, createChaosProcess } from '../chaos/process.ts';
import { benchMain } from './command.ts';
import { type BenchStack, startBenchStack } from './processes.ts';
import { compiled, reportsDirectory } from './project.ts';
import { figure } from './report.ts';
import { median } from './statistics.ts';
import { readSurroundings } from './surroundings.ts';
import { appendVectorEvents, ownCorpus, ownDimension, ownSpace } from './vector-events.ts';

const script = 'dist/scripts/bench/recovery.js';
const ratioMin = 10;
const snapshotIntervalMs = 3_000;
const lookEveryMs = 100;
/** So few documents are scanned, and have no graph. */
const smallMax = 16_385;
const infoDeadlineMs = 10_000;
const wholeDeadlineMs = 900_000;
const outputBytesMax = 64 * 1024 * 1024;

interface Boot {
  /** From the kill to `/readyz`. */
  readonly readyMs: number;
  /** From the kill until its graph is there too, and answers need no scan. */
  readonly wholeMs: number;
  readonly fromSnapshot: boolean;
}

await benchMain({
  name: 'recovery',
  script,
  summary: 'From kill -9 of the index worker to ready again, with snapshots, beside a rebuild from the stream.',
  reports: reportsDirectory('chaos'),
  flags: {
    documents: {
      default: '50000',
      description: `Documents of ${ownDimension} dimensions that brought their own vectors.`,
    },
    tail: { default: '500', description: 'Events that the log holds behind the snapshot when the worker is killed.' },
    rounds: { default: '3', description: 'Kills with a snapshot.' },
    seed: { default: '1', description: 'Of the documents and the vectors.' },
  },
  async run({ count, note, argv }) {
    const documents = count('documents', 1_000, 1_000_000);
    const tail = count('tail', 0, 100_000);
    const rounds = count('rounds', 1, 100);
    const seed = count('seed', 0, 2 ** 31);
    await using stack = await startBenchStack({
      note,
      processes: [],
      environment: {
        LAKEHOUSE_EMBEDDER: 'ollama',
        LAKEHOUSE_OLLAMA_MODEL: 'bench',
        LAKEHOUSE_OLLAMA_DIMENSION: String(ownDimension),
      },
    });
    const surroundings = readSurroundings(script, argv, stack.natsServerVersion);
    await append(stack, documents, seed);
    note(`appended ${documents} events to VECTORS`);
    const rebuildMs = await rebuild(stack, documents);
    note(`a rebuild from the stream took ${Math.round(rebuildMs)} ms`);
    await rm(join(stack.dataDirectory, 'snapshots'), { recursive: true, force: true });
    const gateway = await stack.connectAs('gateway');
    const client = createServiceClient(gateway);
    await using _client = {
      [Symbol.asyncDispose]: async () => {
        client.close();
        await gateway.drain();
      },
    };
    const info = infoFrom(client);
    const index = await createIndex(stack);
    await using _process = { [Symbol.asyncDispose]: async () => void (await index.kill9()) };
    const cold = await bootAfterKill(info, index);
    note(
      `without a snapshot: ready after ${Math.round(cold.readyMs)} ms, with its graph after ${Math.round(cold.wholeMs)} ms`,
    );
    const warm: Boot[] = [];
    for (let round = 1; round <= rounds; round++) {
      await untilSnapshot(info);
      // Said again with another seed: the same documents at later versions, behind the snapshot.
      await append(stack, tail, seed + round);
      warm.push(await bootAfterKill(info, index));
      note(`round ${round}: ready after ${Math.round(warm.at(-1)?.readyMs ?? 0)} ms`);
    }
    return {
      surroundings,
      findings: findingsOf({ documents, tail, rounds, seed, rebuildMs, cold, warm }),
    };
  },
});

interface Measured {
  readonly documents: number;
  readonly tail: number;
  readonly rounds: number;
  readonly seed: number;
  readonly rebuildMs: number;
  readonly cold: Boot;
  readonly warm: readonly Boot[];
}

function findingsOf({ documents, tail, rounds, seed, rebuildMs, cold, warm }: Measured) {
  const recoveryMs = median(warm.map(({ readyMs }) => readyMs));
  const row = (name: string, { readyMs, wholeMs, fromSnapshot }: Boot) => [
    name,
    fromSnapshot ? 'snapshot and tail' : 'the log',
    figure(readyMs),
    figure(wholeMs),
  ];
  return {
    benchmark: 'recovery',
    method:
      `kill -9 of an index worker that holds ${documents} documents of ${ownDimension} dimensions, and the time until it ` +
      `is ready again: it boots from its newest snapshot, which ${tail} events of the log lie behind. Beside it the ` +
      "product's own rebuild from the stream in a fresh process (read, fold and graph, from its first read to its last " +
      'insertion, without digest and snapshot), and a boot without any snapshot.',
    settings: { documents, tail, rounds, dimension: ownDimension },
    seed,
    tables: [
      {
        title: 'Milliseconds from the kill',
        columns: [
          { title: 'boot' },
          { title: 'from' },
          { title: 'ready', right: true },
          { title: 'with its graph', right: true },
        ],
        rows: [row('no snapshot', cold), ...warm.map((boot, at) => row(`round ${at + 1}`, boot))],
      },
    ],
    checks: [
      { name: 'rebuild / recovery', value: rebuildMs / recoveryMs, bar: ratioMin, comparison: 'at least' as const },
      {
        name: 'boots that took the snapshot, of all rounds',
        value: warm.filter(({ fromSnapshot }) => fromSnapshot).length / warm.length,
        bar: 1,
        comparison: 'at least' as const,
        kind: 'condition' as const,
      },
    ],
    notes: [
      `Medians: ready after ${figure(recoveryMs)} ms with a snapshot; the rebuild took ${figure(rebuildMs)} ms, ` +
        `${figure(rebuildMs / recoveryMs)} times as long. A boot without a snapshot is ready after ${figure(cold.readyMs)} ms ` +
        `(${figure(cold.readyMs / recoveryMs)} times), and has its graph after ${figure(cold.wholeMs)} ms.`,
    ],
    results: { recoveryMs, rebuildMs, ratio: rebuildMs / recoveryMs, cold, warm },
  };
}

async function append(stack: BenchStack, count: number, seed: number): Promise<void> {
  const embed = await stack.connectAs('embed');
  await appendVectorEvents(embed, { count, seed, onProgress: () => {} });
  await embed.drain();
}

async function createIndex(stack: BenchStack): Promise<ChaosProcess> {
  const port = await findFreePort();
  return createChaosProcess({
    name: 'index',
    command: process.execPath,
    args: [compiled('workers', 'index', 'main.js')],
    environment: {
      ...stack.environmentOf('index'),
      LAKEHOUSE_EMBEDDER: 'ollama',
      LAKEHOUSE_OLLAMA_MODEL: 'bench',
      LAKEHOUSE_OLLAMA_DIMENSION: String(ownDimension),
      LAKEHOUSE_SNAPSHOT_INTERVAL_MS: String(snapshotIntervalMs),
      LAKEHOUSE_HEALTH_PORT: String(port),
    },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    readyWaitMs: wholeDeadlineMs,
    logFile: join(stack.dataDirectory, 'index.log'),
  });
}

type Info = () => Promise<IndexInfo>;

/** What the index worker tells, asked over the bus: no gateway runs here. */
function infoFrom(client: ServiceClient): Info {
  return async () => {
    const { body } = await client.request('svc.index.info', Buffer.from('{}'), { deadlineMs: infoDeadlineMs });
    return indexInfoSchema.parse(JSON.parse(Buffer.from(body).toString('utf8')));
  };
}

/** Kills it where it runs, and starts it again. */
async function bootAfterKill(info: Info, index: ChaosProcess): Promise<Boot> {
  const began = performance.now();
  await index.kill9();
  await index.start();
  await index.untilReady();
  const readyMs = performance.now() - began;
  const fromSnapshot = (await info()).snapshot !== null;
  await until(async () => (await info()).indexes.some(({ graph, live }) => graph || live < smallMax));
  return { readyMs, wholeMs: performance.now() - began, fromSnapshot };
}

/** Waits for a snapshot of all that the log holds. */
async function untilSnapshot(info: Info): Promise<void> {
  const { created_at: from } = (await info()).snapshot ?? { created_at: '' };
  await until(async () => {
    const { snapshot } = await info();
    return snapshot !== null && (snapshot.created_at !== from || from !== '');
  });
  await delay(snapshotIntervalMs);
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + wholeDeadlineMs;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`it did not happen within ${wholeDeadlineMs / 1_000} s`);
    await delay(lookEveryMs);
  }
}

/** Milliseconds of the product's rebuild, as it tells them itself: from its first read to its last insertion. */
async function rebuild(stack: BenchStack, documents: number): Promise<number> {
  const task: Task = { task: 'rebuild', corpus: ownCorpus, kind: 'documents', compare: false, force: true, side: null };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [compiled('workers', 'rebuild', 'main.js'), JSON.stringify(task)],
    { env: { ...process.env, ...stack.environmentOf('operator') }, maxBuffer: outputBytesMax },
  );
  for (const line of stdout.trim().split('\n')) {
    const message = messageSchema.parse(JSON.parse(line));
    if (message.say === 'failed') throw new Error(`the rebuild failed: ${message.message}`);
    if (message.say !== 'rebuilt') continue;
    const [run] = message.runs;
    if (run === undefined || run.documents.live !== documents)
      throw new Error(`the rebuild of ${ownSpace} holds ${run?.documents.live ?? 0} of ${documents} documents`);
    return (documents / run.events_per_second) * 1_000;
  }
  throw new Error('the rebuild ended without saying so');
}
