import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { indexInfoSchema } from '../../schemas/requests/index.ts';
import { createServiceClient, type ServiceClient } from '../../streams/service-client.ts';
import { defaultParameters } from '../../workers/corpus-index/parameters.ts';
import { benchMain } from './command.ts';
import {
  graphBytesEstimate,
  memoryBarBytes,
  type ResidentBytes,
  rawFloatBytes,
  readResident,
  resetPeak,
} from './memory-parts.ts';
import { type BenchStack, startBenchStack } from './processes.ts';
import { compiled, reportsDirectory } from './project.ts';
import { untilQuiet } from './quiet.ts';
import type { Findings } from './report.ts';
import { readSurroundings } from './surroundings.ts';
import { appendVectorEvents, ownDimension } from './vector-events.ts';

const script = 'dist/scripts/bench/memory.js';
const foldDeadlineMs = 3_600_000;
const snapshotDeadlineMs = 600_000;
const pollMs = 1_000;
const sampleMs = 50;
const noBody = new Uint8Array();
const inMegabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

interface Measured {
  readonly settled: ResidentBytes;
  /** While the index was filled, from the start of the process. */
  readonly peakBeforeBytes: number;
  readonly peakSnapshotBytes: number;
  readonly sampledPeakBytes: number;
  readonly heap: NodeJS.MemoryUsage;
  readonly snapshotMs: number;
  readonly snapshotBytes: number;
}

await benchMain({
  name: 'memory',
  script,
  summary: 'Peak resident memory of the index worker while it takes a snapshot, and what it is made of.',
  reports: reportsDirectory('bench'),
  flags: {
    documents: {
      default: '100000',
      description: `Documents of ${ownDimension} dimensions that brought their own vectors.`,
    },
    seed: { default: '1', description: 'Of the documents and the vectors.' },
  },
  async run({ count, note, argv }) {
    const documents = count('documents', 1_000, 2_000_000);
    const seed = count('seed', 0, 2 ** 31);
    const probe = pathToFileURL(compiled('scripts', 'bench', 'memory-probe.js')).href;
    await using stack = await startBenchStack({
      note,
      processes: ['index'],
      nodeArguments: { index: ['--import', probe] },
      // Only the one that is asked for, so that it is the one that is measured.
      environment: { LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '0' },
    });
    const surroundings = readSurroundings(script, argv, stack.natsServerVersion);
    const embed = await stack.connectAs('embed');
    await appendVectorEvents(embed, { count: documents, seed, onProgress: (done) => tell(done, note) });
    await embed.drain();
    const operator = await stack.connectAs('operator');
    const client = createServiceClient(operator);
    await untilIndexed(client, documents, note);
    await untilQuiet(stack.pidOf('index'), foldDeadlineMs);
    note('all documents are in the graph; taking a snapshot');
    const measured = await measureSnapshot(stack, client);
    client.close();
    await operator.drain();
    return { findings: { ...describe(documents, measured), seed }, surroundings };
  },
});

function tell(done: number, note: (line: string) => void): void {
  if (done % 10_000 === 0) note(`appended ${done} events to VECTORS`);
}

async function untilIndexed(client: ServiceClient, documents: number, note: (line: string) => void): Promise<void> {
  const deadline = AbortSignal.timeout(foldDeadlineMs);
  for (let said = 0; ; ) {
    const reply = await client.request('svc.index.info', noBody, { deadlineMs: 60_000 });
    const text = Buffer.from(reply.body).toString('utf8');
    if (reply.status !== 200) throw new Error(`the index worker answered ${reply.status}: ${text}`);
    const live = indexInfoSchema.parse(JSON.parse(text)).indexes[0]?.live ?? 0;
    if (live >= documents) return;
    if (deadline.aborted) throw new Error(`only ${live} of ${documents} documents were indexed`);
    if (live - said >= documents / 10) {
      said = live;
      note(`indexed ${live} documents`);
    }
    await delay(pollMs);
  }
}

async function measureSnapshot(stack: BenchStack, client: ServiceClient): Promise<Measured> {
  const pid = stack.pidOf('index');
  const settled = await readResident(pid);
  const heap = await askMemoryUsage(stack);
  await resetPeak(pid);
  let sampledPeakBytes = 0;
  const sampling = setInterval(() => {
    void readResident(pid).then(({ rss }) => {
      sampledPeakBytes = Math.max(sampledPeakBytes, rss);
    });
  }, sampleMs);
  const began = performance.now();
  const reply = await client.request('svc.index.snapshot', noBody, { deadlineMs: snapshotDeadlineMs });
  const snapshotMs = performance.now() - began;
  clearInterval(sampling);
  const { peak } = await readResident(pid);
  if (reply.status !== 200) throw new Error(`no snapshot: ${reply.status} ${Buffer.from(reply.body).toString('utf8')}`);
  const snapshotBytes = await bytesBelow(join(stack.dataDirectory, 'snapshots'));
  return {
    settled,
    peakBeforeBytes: settled.peak,
    peakSnapshotBytes: peak,
    sampledPeakBytes,
    heap,
    snapshotMs,
    snapshotBytes,
  };
}

async function askMemoryUsage(stack: BenchStack): Promise<NodeJS.MemoryUsage> {
  const child = stack.childOf('index');
  const answer = once(child, 'message');
  child.send('memory');
  const [usage] = await answer;
  return usage as NodeJS.MemoryUsage;
}

async function bytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function describe(documents: number, measured: Measured): Omit<Findings, 'seed'> {
  const { settled, heap, peakBeforeBytes, peakSnapshotBytes, sampledPeakBytes } = measured;
  const raw = rawFloatBytes(documents);
  const graph = graphBytesEstimate(documents, defaultParameters.m);
  const native = settled.anonymous - heap.heapTotal - heap.external;
  const parts: [string, number][] = [
    ['raw float bytes (for comparison)', raw],
    ['resident when settled', settled.rss],
    ['  programs and libraries (files)', settled.file],
    ['  JavaScript heap, in use', heap.heapUsed],
    ['  JavaScript heap, kept free', heap.heapTotal - heap.heapUsed],
    ['  buffers outside the heap (vector arena and others)', heap.external],
    ['  native, the rest (graph, allocator, stacks)', native],
    ['  estimate of the graph alone, at a capacity that fits', graph],
    ['peak while the index was filled', peakBeforeBytes],
    ['peak while the snapshot was taken', peakSnapshotBytes],
    [`  as sampled every ${sampleMs} ms`, sampledPeakBytes],
    ['snapshot on disk', measured.snapshotBytes],
  ];
  return {
    benchmark: 'memory',
    method:
      `The index worker as a process of its own, holding ${documents} documents of ${ownDimension} dimensions with ` +
      'worker-shaped text and metadata, appended straight to VECTORS as the embed worker writes them for documents ' +
      'that bring their own vectors; then one snapshot.',
    settings: { documents, dimension: ownDimension, snapshot_ms: Math.round(measured.snapshotMs) },
    tables: [
      {
        title: 'Memory of the index worker',
        columns: [{ title: 'what' }, { title: 'amount', right: true }, { title: 'of the raw floats', right: true }],
        rows: parts.map(([name, bytes]) => [name, inMegabytes(bytes), (bytes / raw).toFixed(2)]),
      },
    ],
    checks: [
      {
        name: 'peak in MB while a snapshot is taken (2.2 x raw floats + 300 MB)',
        value: peakSnapshotBytes / 1e6,
        bar: memoryBarBytes(documents) / 1e6,
        comparison: 'at most',
      },
      {
        name: 'snapshot on disk / raw floats',
        value: measured.snapshotBytes / raw,
        bar: 1,
        comparison: 'at least',
        kind: 'condition',
      },
    ],
    notes: ["The peak is the kernel's (VmHWM), counted anew from just before the snapshot."],
    results: { documents, rawFloatBytes: raw, graphEstimateBytes: graph, nativeBytes: native, ...measured },
  };
}
