import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startProjector } from '../../streams/projector.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { messageSchema, type Task, type VerifyReport } from '../../workers/rebuild/task.ts';
import { type BenchStack, startBenchStack } from '../bench/processes.ts';
import { compiled } from '../bench/project.ts';
import { gatewayName, serverName } from '../stack/plan.ts';
import { type LinesOptions, soakLines, soakTexts } from './lines.ts';
import { sendLines } from './send.ts';
import { type Sample, startWatch } from './watch.ts';

export interface SoakOptions extends LinesOptions {
  /** Memory is compared with what it was when so many lines were in the log. */
  readonly markLine: number;
  /** How long the embed worker stands still in between; 0: it does not. */
  readonly pauseEmbedMs: number;
  /** Events that may wait for the workers before the gateway holds the stream up. */
  readonly backlogMax: number;
  /** Behind the last event so long nothing is said: what memory is then is held, not worked with. */
  readonly restMs: number;
  readonly deadlineMs: number;
  readonly note: (line: string) => void;
}

export interface ProcessMemory {
  readonly process: string;
  readonly atMarkBytes: number;
  readonly peakAfterBytes: number;
  readonly atEndBytes: number;
  readonly atRestBytes: number;
}

/** Messages that a stage worked off, and how long that took from the first line on. */
export interface StageRate {
  readonly stage: string;
  readonly messages: number;
  readonly elapsedMs: number;
}

export interface SoakResult {
  readonly accepted: number;
  readonly refused: number;
  /** How often the gateway told the stream to go on later. */
  readonly heldBack: number;
  /** Whether INGEST holds exactly the lines that were sent, in their order. */
  readonly logIsWhatWasSent: boolean;
  readonly logMessages: number;
  readonly verified: VerifyReport;
  readonly memory: readonly ProcessMemory[];
  readonly rates: readonly StageRate[];
  /** The most events that waited for the embed worker at once. */
  readonly embedPendingMax: number;
  readonly natsServerVersion: string;
  readonly samples: readonly Sample[];
}

const corpus = 'workers';
const embedBatch = 128;
/** The embed worker stands still when this share of the lines is in the log. */
const pauseAtShare = 0.4;
const outputBytesMax = 64 * 1024 * 1024;
const processes = [serverName, gatewayName, 'ingest', 'embed', 'index', 'playbook', 'observer'] as const;

/** Sends lines through the gateway into a whole system of its own, watches its memory, and compares where it ends. */
export async function runIngestSoak(options: SoakOptions): Promise<SoakResult> {
  const { lines, note, deadlineMs } = options;
  const environment = { LAKEHOUSE_BACKLOG_MAX: String(options.backlogMax) };
  await using stack = await startBenchStack({ note, environment });
  await embedFirst(stack, options);
  const operator = await stack.connectAs('operator');
  const client = createServiceClient(operator);
  const watch = startWatch(operator, client, Object.fromEntries(processes.map((name) => [name, stack.pidOf(name)])));
  try {
    const began = (await watch.until(() => true, deadlineMs)).atMs;
    const sending = sendLines(stack.gatewayUrl, corpus, () => soakLines(options));
    if (options.pauseEmbedMs > 0) {
      const reached = watch.until(({ appended }) => appended >= lines * pauseAtShare, deadlineMs);
      await Promise.race([reached, sending.then(() => reached)]);
      await standStill(stack.pidOf('embed'), options.pauseEmbedMs, note);
    }
    const { accepted, refused, heldBack, elapsedMs } = await sending;
    note(`${accepted} lines are in the log after ${(elapsedMs / 1_000).toFixed(1)} s`);
    const done = await watch.until((sample) => sample.appended >= lines && isThrough(sample), deadlineMs);
    note(`all of it was worked off after ${((done.atMs - began) / 1_000).toFixed(1)} s`);
    const samples = [...watch.samples];
    await delay(options.restMs);
    const rested = await watch.until(({ atMs }) => atMs > done.atMs + options.restMs, deadlineMs);
    await watch.stop();
    const log = await compareLog(stack, options);
    note('verifying the state against folds of the log');
    const verified = await verify(stack, deadlineMs);
    return {
      ...log,
      verified,
      accepted,
      refused,
      heldBack,
      memory: processes.map((name) => memoryOf(name, samples, rested, options.markLine)),
      rates: ratesOf(samples, began, elapsedMs, lines),
      embedPendingMax: Math.max(...samples.map(({ embedPending }) => embedPending)),
      natsServerVersion: stack.natsServerVersion,
      samples,
    };
  } finally {
    await watch.stop();
    client.close();
    await operator.drain();
  }
}

/**
 * The embed worker remembers the texts from here on. Else the embedder would set the pace until each was said once, and
 * what processes work with at the mark would be that of a slow stream, and behind it that of a fast one.
 */
async function embedFirst({ client }: BenchStack, options: SoakOptions): Promise<void> {
  const texts = soakTexts(options);
  options.note(`embedding ${texts.length} texts before they are said`);
  for (let at = 0; at < texts.length; at += embedBatch)
    await client.embed({ texts: texts.slice(at, at + embedBatch), kind: 'document' });
}

async function standStill(pid: number, milliseconds: number, note: (line: string) => void): Promise<void> {
  note(`the embed worker stands still for ${milliseconds / 1_000} s`);
  process.kill(pid, 'SIGSTOP');
  try {
    await delay(milliseconds);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

const isIngested = ({ ingestPending }: Sample) => ingestPending === 0;
const isEmbedded = (sample: Sample) => isIngested(sample) && sample.embedPending === 0;
const isThrough = (sample: Sample) => isEmbedded(sample) && sample.folded >= sample.vectors;

function memoryOf(name: string, samples: readonly Sample[], rested: Sample, markLine: number): ProcessMemory {
  const mark = samples.findIndex(({ appended }) => appended >= markLine);
  const resident = samples.slice(mark).map((sample) => sample.resident[name] ?? 0);
  return {
    process: name,
    atMarkBytes: resident[0] ?? 0,
    peakAfterBytes: Math.max(...resident),
    atEndBytes: resident.at(-1) ?? 0,
    atRestBytes: rested.resident[name] ?? 0,
  };
}

function ratesOf(samples: readonly Sample[], began: number, sentMs: number, lines: number): StageRate[] {
  const doneAt = (isDone: (sample: Sample) => boolean) =>
    (samples.find((sample) => sample.appended >= lines && isDone(sample))?.atMs ?? Number.NaN) - began;
  const last = samples.at(-1);
  return [
    { stage: 'gateway: lines into INGEST', messages: lines, elapsedMs: sentMs },
    { stage: 'ingest worker: INGEST into DOCUMENTS', messages: lines, elapsedMs: doneAt(isIngested) },
    { stage: 'embed worker: DOCUMENTS into VECTORS', messages: last?.vectors ?? 0, elapsedMs: doneAt(isEmbedded) },
    { stage: 'index worker: VECTORS folded', messages: last?.folded ?? 0, elapsedMs: doneAt(isThrough) },
  ];
}

/** Nothing is lost, doubled or out of order where the log is byte for byte what was sent. */
async function compareLog(stack: BenchStack, options: SoakOptions) {
  const sent = createHash('sha256');
  for (const line of soakLines(options)) sent.update(`${line}\n`);
  const operator = await stack.connectAs('operator');
  const found = createHash('sha256');
  const { lastSequence: until } = await readStreamState(operator, 'INGEST');
  let logMessages = 0;
  const fold = startProjector({
    connection: operator,
    stream: 'INGEST',
    worker: 'soak',
    checkpoint: 0,
    until,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    onPayload: ({ payload }) => {
      logMessages++;
      found.update(payload).update('\n');
    },
  });
  await fold.finished;
  await operator.drain();
  return { logMessages, logIsWhatWasSent: sent.digest('hex') === found.digest('hex') };
}

async function verify(stack: BenchStack, deadlineMs: number): Promise<VerifyReport> {
  const task: Task = { task: 'verify', settleDeadlineMs: deadlineMs };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [compiled('workers', 'rebuild', 'main.js'), JSON.stringify(task)],
    { env: { ...process.env, ...stack.environmentOf('operator') }, maxBuffer: outputBytesMax },
  );
  for (const line of stdout.trim().split('\n')) {
    const message = messageSchema.parse(JSON.parse(line));
    if (message.say === 'failed') throw new Error(`the state could not be verified: ${message.message}`);
    if (message.say === 'verified') return message.report;
  }
  throw new Error('verifying ended without saying so');
}
