import type { CorpusSpaceData } from '../../schemas/events/corpus-space.ts';
import type { ReembedRun } from '../../schemas/events/lines.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { formatSpace, type Space } from '../../schemas/space.ts';
import { append, appendLine, nextMessageId } from '../../streams/append.ts';
import { isoTime } from '../../streams/clock.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { consumerLag } from '../../streams/moments.ts';
import { startProjector } from '../../streams/projector.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { createIndexCatalogue, type IndexCatalogue } from '../corpus-index/catalogue.ts';
import type { CorpusIndex } from '../corpus-index/corpus-index.ts';
import { startIndexFolds } from '../corpus-index/state.ts';
import type { CorpusSpace, CorpusSpaces } from '../corpus-spaces/corpus-spaces.ts';
import { readCorpusSpaces } from '../corpus-spaces/follow.ts';
import { spaceConsumer } from '../corpus-spaces/space-reactors.ts';
import { holdLease, type Lease } from '../index-lease/hold.ts';
import type { EmbedQueries } from '../query-vectors/embed-query.ts';
import { type Agreement, measureAgreement } from './agreement.ts';
import { spread } from './recall.ts';

export interface ReembedOptions {
  readonly corpus: string;
  readonly model: string;
  /** Switch also where documents are missing in the new space. */
  readonly force: boolean;
  readonly dropOld: boolean;
}

export interface ReembedPorts {
  readonly connection: LogConnection;
  readonly log: RuntimeLog;
  readonly configuredSpace: string;
  /** Who does it, for people. */
  readonly holder: string;
  /** The spaces that are offered, the configured one included. */
  readonly offered: readonly Space[];
  readonly embedQueries: EmbedQueries;
  readonly onProgress: (progress: { step: string; done: number; total: number }) => void;
}

type DropPorts = Pick<ReembedPorts, 'connection' | 'log' | 'holder'>;

const comparedK = 10;
const queriesMax = 200;
const queryBatchTextsMax = 50;
const embedDeadlineMs = 60_000;
const lookEveryMs = 200;
const beginDeadlineMs = 30_000;

/**
 * Brings a corpus into another space beside the one that answers: says so on INDEXES, waits until the embed and playbook
 * workers have gone through what there is, compares, and says that the corpus answers there. What comes meanwhile and
 * later goes into both, until the old one is dropped. Every run is a row of REPLAY_RUNS.
 */
export async function reembed(options: ReembedOptions, ports: ReembedPorts): Promise<ReembedRun> {
  const { connection, log, holder } = ports;
  const { corpus } = options;
  const space = offeredSpace(options.model, ports);
  const run_id = nextMessageId();
  const lease = await holdLease({ connection, log, corpus, run_id, task: 'reembed', holder });
  return reembedUnder(lease, run_id, space, options, ports).finally(lease.release);
}

async function reembedUnder(
  lease: Lease,
  runId: string,
  space: string,
  options: ReembedOptions,
  ports: ReembedPorts,
): Promise<ReembedRun> {
  const { connection, log } = ports;
  const { corpus } = options;
  const began = connection.clock.monotonicMs();
  // Whoever answers searches has to be able to embed queries in it: found out before anything is said.
  await ports.embedQueries(['probe'], {
    deadlineMs: embedDeadlineMs,
    space,
    traceId: undefined,
    traceparent: undefined,
  });
  const before = await readCorpusSpaces({ connection, log, worker: 'rebuild' });
  if (before.isDropped(corpus, space)) await untilLetGo({ corpus, space }, connection);
  if (!before.isHeld(corpus, space)) await say(lease, connection, { corpus, space, state: 'held', run_id: runId });
  await untilDone(connection, 'DOCUMENTS', spaceConsumer('embed', { corpus, space }), 'embed', ports);
  await untilDone(connection, 'PLAYBOOKS', spaceConsumer('playbook', { corpus, space }), 'playbooks', ports);

  const spaces = await readCorpusSpaces({ connection, log, worker: 'rebuild' });
  const compared = await compare(corpus, space, spaces, ports);
  const complete = compared.missing === 0 || options.force;
  const dropped: string[] = [];
  if (complete) {
    await say(lease, connection, { corpus, space, state: 'serving', run_id: runId });
    if (options.dropOld)
      for (const old of compared.others) {
        await say(lease, connection, { corpus, space: old, state: 'dropped', run_id: runId });
        dropped.push(old);
      }
  }
  const { others: _, ...figures } = compared;
  const run: ReembedRun = {
    schema: 'reembed.v1',
    recorded_at: isoTime(connection.clock),
    run_id: runId,
    corpus,
    space,
    ...figures,
    dropped,
    duration_ms: connection.clock.monotonicMs() - began,
    outcome: complete ? 'switched' : 'incomplete',
  };
  await appendLine(connection, 'lakehouse.replay-run', Buffer.from(JSON.stringify(run)), `reembed:${runId}`);
  return run;
}

/**
 * Lets a space of a corpus go.
 * @throws ProblemError where the corpus answers in it, or was never told to answer in another
 */
export async function dropSpace(corpus: string, space: string, ports: DropPorts) {
  const { connection, log, holder } = ports;
  const run_id = nextMessageId();
  const lease = await holdLease({ connection, log, corpus, run_id, task: 'drop-space', holder });
  await dropUnder(lease, run_id, { corpus, space }, ports).finally(lease.release);
}

async function dropUnder(lease: Lease, runId: string, { corpus, space }: CorpusSpace, ports: DropPorts): Promise<void> {
  const { connection, log } = ports;
  const spaces = await readCorpusSpaces({ connection, log, worker: 'rebuild' });
  const serving = spaces.serving(corpus);
  if (serving === undefined || serving === space)
    throw new ProblemError(
      'bad_request',
      `"${corpus}" answers in ${serving ?? 'the space of its documents'}; re-embed it into another space before ${space} is dropped`,
    );
  if (!spaces.isDropped(corpus, space))
    await say(lease, connection, { corpus, space, state: 'dropped', run_id: runId });
}

function offeredSpace(model: string, { offered }: ReembedPorts): string {
  const found = offered.find((space) => space.model === model || formatSpace(space) === model);
  if (found !== undefined) return formatSpace(found);
  const names = offered.map((space) => space.model).join(', ');
  throw new ProblemError(
    'bad_request',
    `"${model}" is not offered (${names} are): name it in LAKEHOUSE_EMBED_MODELS and start the workers again`,
  );
}

async function say(lease: Lease, connection: LogConnection, data: CorpusSpaceData): Promise<void> {
  const { corpus, space, state, run_id } = data;
  const messageId = `space:${run_id}:${state}:${space}`;
  await lease.append((lastSubjectSequence) => {
    const options = { messageId, source: 'rebuild', lastSubjectSequence };
    return append(connection, 'lakehouse.corpus-space', { corpus }, data, options);
  });
}

/** A consumer from before the drop would seem to have done what is to be done anew. */
async function untilLetGo(of: CorpusSpace, connection: LogConnection): Promise<void> {
  const letGoBy = connection.clock.monotonicMs() + beginDeadlineMs;
  for (;;) {
    const left = await Promise.all([
      consumerLag(connection, 'DOCUMENTS', spaceConsumer('embed', of)),
      consumerLag(connection, 'PLAYBOOKS', spaceConsumer('playbook', of)),
    ]);
    if (left.every((lag) => lag === undefined)) return;
    if (connection.clock.monotonicMs() > letGoBy)
      throw new ProblemError(
        'unavailable',
        `the workers have not let go of ${of.space}, which was dropped, within ${beginDeadlineMs / 1_000} s; see "lakehouse status"`,
      );
    await connection.clock.sleep(lookEveryMs);
  }
}

async function untilDone(
  connection: LogConnection,
  stream: 'DOCUMENTS' | 'PLAYBOOKS',
  durable: string,
  step: string,
  { onProgress }: ReembedPorts,
): Promise<void> {
  const beginBy = connection.clock.monotonicMs() + beginDeadlineMs;
  let total = 0;
  for (;;) {
    const lag = await consumerLag(connection, stream, durable);
    if (lag === undefined && connection.clock.monotonicMs() > beginBy)
      throw new ProblemError(
        'unavailable',
        `no worker has begun on ${stream} within ${beginDeadlineMs / 1_000} s; see "lakehouse status"`,
      );
    const left = lag === undefined ? 0 : lag.pending + lag.ackPending;
    total = Math.max(total, left);
    if (lag !== undefined) onProgress({ step, done: total - left, total });
    if (lag !== undefined && left === 0) return;
    await connection.clock.sleep(lookEveryMs);
  }
}

interface Comparison
  extends Pick<
    ReembedRun,
    | 'from_space'
    | 'until'
    | 'documents'
    | 'missing'
    | 'playbooks'
    | 'overlap_at_10'
    | 'queries'
    | 'neighbours_at_10'
    | 'sampled'
  > {
  /** The spaces, beside the new one, that hold documents of the corpus. */
  readonly others: readonly string[];
}

async function compare(corpus: string, space: string, spaces: CorpusSpaces, ports: ReembedPorts): Promise<Comparison> {
  const { onProgress } = ports;
  onProgress({ step: 'compare', done: 0, total: 1 });
  const catalogue = createIndexCatalogue(ports.configuredSpace, spaces.serving);
  const until = await fold(corpus, spaces, catalogue, ports);
  const entries = catalogue.ofCorpus('documents', corpus, null);
  const others = entries.filter((entry) => entry.space !== space);
  const made = entries.find((entry) => entry.space === space)?.index;
  const living = new Set(entries.flatMap(({ index }) => [...index.ids()]));
  if (made === undefined || living.size === 0)
    throw new ProblemError('corpus_not_found', `there is no document of "${corpus}" to embed`, { corpus });
  const serving = catalogue.serving(corpus, null);
  const old = serving?.space === space ? undefined : serving;
  const queries = old === undefined ? nothing : await askLogged(corpus, [old.index, made], [old.space, space], ports);
  const neighbours = old === undefined ? nothing : askNeighbours(old.index, made);
  onProgress({ step: 'compare', done: 1, total: 1 });
  return {
    from_space: old?.space ?? null,
    until,
    documents: made.size,
    missing: [...living].filter((id) => !made.has(id)).length,
    playbooks: playbooksOf(catalogue, corpus, space),
    overlap_at_10: queries.overlap,
    queries: queries.asked,
    neighbours_at_10: neighbours.overlap,
    sampled: neighbours.asked,
    others: others.map((entry) => entry.space),
  };
}

const nothing: Agreement = { overlap: null, asked: 0 };

async function fold(
  corpus: string,
  spaces: CorpusSpaces,
  catalogue: IndexCatalogue,
  { connection, log }: ReembedPorts,
) {
  const until = {
    VECTORS: (await readStreamState(connection, 'VECTORS')).lastSequence,
    PLAYBOOKS: (await readStreamState(connection, 'PLAYBOOKS')).lastSequence,
  };
  const folds = startIndexFolds({
    connection,
    log,
    catalogue,
    worker: 'rebuild',
    checkpoint: {},
    until,
    onlyLooks: true,
    withoutGraph: true,
    vectorSubjects: `vectors.*.${corpus}.*`,
    concerns: (name) => name.kind === 'playbooks' || !spaces.isDropped(name.corpus, name.space),
  });
  await folds.finished;
  return until;
}

function playbooksOf(catalogue: IndexCatalogue, corpus: string, space: string): number {
  let count = 0;
  for (const entry of catalogue.all()) {
    if (entry.kind !== 'playbooks' || entry.space !== space) continue;
    for (const id of entry.index.ids()) {
      const entryJson = JSON.parse(entry.index.lookup(id)?.metadata.json ?? '{}') as { answer_corpus?: string };
      if (entryJson.answer_corpus === corpus) count++;
    }
  }
  return count;
}

/** Queries that were logged, asked of both spaces. */
async function askLogged(
  corpus: string,
  indexes: readonly [CorpusIndex, CorpusIndex],
  spaces: readonly [string, string],
  ports: ReembedPorts,
): Promise<Agreement> {
  const texts = await loggedQueries(corpus, ports);
  const queries: [Float32Array, Float32Array][] = [];
  for (let at = 0; at < texts.length; at += queryBatchTextsMax) {
    const batch = texts.slice(at, at + queryBatchTextsMax);
    const cause = { deadlineMs: embedDeadlineMs, traceId: undefined, traceparent: undefined };
    const [left, right] = await Promise.all(spaces.map((space) => ports.embedQueries(batch, { ...cause, space })));
    for (const place of batch.keys()) {
      const [one, other] = [left?.vectors[place], right?.vectors[place]];
      if (one !== undefined && other !== undefined) queries.push([one, other]);
    }
  }
  return measureAgreement(indexes, queries, comparedK);
}

/** The newest different queries in words that were asked of a corpus. */
async function loggedQueries(corpus: string, { connection, log }: ReembedPorts): Promise<string[]> {
  const { lastSequence } = await readStreamState(connection, 'SEARCHES');
  const texts = new Set<string>();
  const projector = startProjector({
    connection,
    log,
    stream: 'SEARCHES',
    worker: 'rebuild',
    checkpoint: 0,
    until: lastSequence,
    filterSubject: `searches.${corpus}`,
    onlyLooks: true,
    handlers: {
      'lakehouse.search': ({ data }) => {
        for (const { query_text } of data.searches) {
          if (query_text === null) continue;
          texts.delete(query_text);
          texts.add(query_text);
          const [oldest] = texts;
          if (texts.size > queriesMax && oldest !== undefined) texts.delete(oldest);
        }
      },
    },
  });
  await projector.finished;
  return [...texts];
}

function askNeighbours(old: CorpusIndex, made: CorpusIndex): Agreement {
  const sample = spread(
    [...old.ids()].filter((id) => made.has(id)),
    queriesMax,
  );
  const queries = sample.flatMap((id): [Float32Array, Float32Array, string][] => {
    const [one, other] = [old.vector(id), made.vector(id)];
    return one === undefined || other === undefined ? [] : [[one, other, id]];
  });
  return measureAgreement([old, made], queries, comparedK);
}
