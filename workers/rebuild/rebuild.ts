import type { IndexRebuildRun } from '../../schemas/events/lines.ts';
import type { DigestReply } from '../../schemas/requests/index.ts';
import { append, appendLine, nextMessageId } from '../../streams/append.ts';
import { isoTime } from '../../streams/clock.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { ObjectStore } from '../../streams/object-store.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { readingAsOf } from '../corpus-index/as-of.ts';
import { createIndexCatalogue, type IndexEntry, type IndexKind } from '../corpus-index/catalogue.ts';
import { isEmpty } from '../corpus-index/fold.ts';
import { digestOfIndex } from '../corpus-index/index-digest.ts';
import { saveSnapshotEntries } from '../corpus-index/snapshots.ts';
import { type Checkpoint, startIndexFolds, vectorSubjectsOf } from '../corpus-index/state.ts';
import { readCorpusSpaces } from '../corpus-spaces/follow.ts';
import { holdLease, type Lease } from '../index-lease/hold.ts';
import { type Moment, momentOf, type Past } from './moment.ts';
import { measureRecall, spread } from './recall.ts';

export interface RebuildOptions {
  readonly corpus: string;
  readonly kind: IndexKind;
  /** Compare digest with the live index at the same position, and switch only where they are equal. */
  readonly compare: boolean;
  /** A side index of the past instead of one that takes over. */
  readonly side: { readonly name: string; readonly past: Past } | null;
  /** Switch also where the digests differ: for a live index that is known to be wrong. */
  readonly force: boolean;
}

export interface RebuildPorts {
  readonly connection: LogConnection;
  readonly store: ObjectStore;
  readonly log: RuntimeLog;
  readonly configuredSpace: string;
  /** Who rebuilds, for people. */
  readonly holder: string;
  /** The digests that a live index worker has now; undefined where none answers. */
  readonly liveDigests: (corpus: string) => Promise<DigestReply | undefined>;
  readonly onProgress: (progress: RebuildProgress) => void;
}

export interface RebuildProgress {
  readonly step: 'fold' | 'graph' | 'compare' | 'snapshot' | 'switch';
  readonly done: number;
  readonly total: number;
}

const recallQueriesMax = 200;
const recallK = 10;
const progressEveryMs = 200;

interface Built {
  readonly entries: readonly IndexEntry[];
  readonly until: Checkpoint;
  readonly eventsPerSecond: number;
}

/**
 * Builds an index aside from the log, compares it with the live one at the same position, snapshots it and says on
 * INDEXES that it takes over (or, for the past, that it can be asked by its name). Every run is a row of REPLAY_RUNS; one
 * that is refused is none, and its claim is in INDEXES.
 * @throws ProblemError where somebody else changes how the corpus answers: who, and since when
 */
export async function rebuildIndex(options: RebuildOptions, ports: RebuildPorts): Promise<IndexRebuildRun[]> {
  const { connection } = ports;
  const runId = nextMessageId();
  const { corpus } = options;
  const { log, holder } = ports;
  const lease = await holdLease({ connection, log, corpus, run_id: runId, task: 'rebuild', holder });
  return rebuildUnder(lease, runId, options, ports).finally(lease.release);
}

async function rebuildUnder(
  lease: Lease,
  runId: string,
  options: RebuildOptions,
  ports: RebuildPorts,
): Promise<IndexRebuildRun[]> {
  const { connection } = ports;
  const began = connection.clock.monotonicMs();
  const live = options.side === null ? await ports.liveDigests(options.corpus) : undefined;
  const moment = options.side === null ? undefined : await momentOf(connection, options.side.past);
  const built = await build(options, ports, moment, live?.position);
  const runs: IndexRebuildRun[] = [];
  for (const entry of built.entries) {
    const run = await conclude(entry, built, { options, ports, lease, live, runId, began, moment });
    await appendLine(
      connection,
      'lakehouse.replay-run',
      Buffer.from(JSON.stringify(run)),
      `rebuild:${runId}:${runs.length}`,
    );
    runs.push(run);
  }
  return runs;
}

async function build(
  options: RebuildOptions,
  ports: RebuildPorts,
  moment: Moment | undefined,
  livePosition: Checkpoint | undefined,
): Promise<Built> {
  const { connection, log } = ports;
  const spaces = await readCorpusSpaces({ connection, log, worker: 'rebuild' });
  const catalogue = createIndexCatalogue(ports.configuredSpace);
  const until: Checkpoint = {
    VECTORS: livePosition?.VECTORS ?? (await readStreamState(connection, 'VECTORS')).lastSequence,
    PLAYBOOKS:
      moment?.playbooks ?? livePosition?.PLAYBOOKS ?? (await readStreamState(connection, 'PLAYBOOKS')).lastSequence,
  };
  const documents = options.kind === 'documents';
  const began = connection.clock.monotonicMs();
  const total = documents ? (until.VECTORS ?? 0) : (until.PLAYBOOKS ?? 0);
  ports.onProgress({ step: 'fold', done: 0, total });
  let events = 0;
  const folds = startIndexFolds({
    connection,
    log,
    catalogue,
    worker: 'rebuild',
    checkpoint: {},
    onlyLooks: true,
    // Documents do not need PLAYBOOKS, nor playbooks VECTORS; a side index of the past has both.
    until: {
      VECTORS: documents ? (until.VECTORS ?? 0) : 0,
      PLAYBOOKS: documents && options.side === null ? 0 : (until.PLAYBOOKS ?? 0),
    },
    ...(documents ? { vectorSubjects: vectorSubjectsOf(options) } : {}),
    ...(moment === undefined ? {} : { read: readingAsOf(moment.version) }),
    concerns: ({ kind, corpus, space }) =>
      (kind === 'playbooks' || !spaces.isDropped(corpus, space)) &&
      (corpus === options.corpus || (options.side !== null && kind === 'playbooks')),
    onApplied: () => {
      events++;
    },
  });
  const timer = setInterval(() => {
    const done = folds.position()[documents ? 'VECTORS' : 'PLAYBOOKS'] ?? 0;
    ports.onProgress({ step: 'fold', done, total });
  }, progressEveryMs);
  await folds.finished.finally(() => clearInterval(timer));
  ports.onProgress({ step: 'fold', done: total, total });
  const entries = [...catalogue.all()].filter(({ index }) => !isEmpty(index));
  await finishGraphs(entries, ports);
  const seconds = (connection.clock.monotonicMs() - began) / 1_000;
  return { entries, until, eventsPerSecond: seconds === 0 ? 0 : events / seconds };
}

async function finishGraphs(entries: readonly IndexEntry[], ports: RebuildPorts): Promise<void> {
  let said = ports.connection.clock.monotonicMs();
  for (const { index } of entries) {
    while (index.step()) {
      const now = ports.connection.clock.monotonicMs();
      if (now - said < progressEveryMs) continue;
      said = now;
      ports.onProgress({ step: 'graph', done: index.insertions(), total: index.size });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

interface Conclusion {
  readonly options: RebuildOptions;
  readonly ports: RebuildPorts;
  readonly lease: Lease;
  readonly live: DigestReply | undefined;
  readonly runId: string;
  readonly began: number;
  readonly moment: Moment | undefined;
}

async function conclude(entry: IndexEntry, built: Built, conclusion: Conclusion): Promise<IndexRebuildRun> {
  const { options, ports, lease, live, runId, began, moment } = conclusion;
  const { kind, corpus, space, index } = entry;
  const { connection, onProgress } = ports;
  onProgress({ step: 'compare', done: 0, total: 1 });
  const digest = await digestOfIndex(entry);
  const compared = live?.indexes.find((one) => one.kind === kind && one.corpus === corpus && one.space === space);
  const equal = compared === undefined ? null : compared.digest === digest;
  const sample = spread([...index.ids()], recallQueriesMax);
  const recall = measureRecall(index, sample, recallK);
  onProgress({ step: 'compare', done: 1, total: 1 });
  const wanted = options.side !== null || !options.compare || equal === true || options.force;
  if (wanted) {
    onProgress({ step: 'snapshot', done: 0, total: 1 });
    const manifest = await saveSnapshotEntries(
      ports.store,
      `rebuilds/${runId}`,
      [entry],
      built.until,
      isoTime(connection.clock),
    );
    onProgress({ step: 'switch', done: 0, total: 1 });
    const side = options.side?.name ?? null;
    const data = { kind, corpus, space, side, run_id: runId, manifest, digest, checkpoint: { ...built.until } };
    const messageId = `switch:${runId}:${kind}:${corpus}:${space}`;
    const say = (lastSubjectSequence?: number) =>
      append(connection, 'lakehouse.index-switched', { corpus }, data, {
        messageId,
        source: 'rebuild',
        ...(lastSubjectSequence === undefined ? {} : { lastSubjectSequence }),
      });
    // What was learned lies in corpora of its own: beside a past index its past stands too, and takes nobody's place.
    if (corpus === options.corpus) await lease.append(say);
    else await say();
  }
  return {
    schema: 'index_rebuild.v1',
    recorded_at: isoTime(connection.clock),
    run_id: runId,
    corpus,
    space,
    kind,
    side: options.side?.name ?? null,
    until: { ...built.until, ...(moment === undefined ? {} : { INGEST: moment.version }) },
    documents: { live: index.size, tombstones: index.tombstones },
    digest,
    compared_digest: compared?.digest ?? null,
    equal,
    recall_at_10: recall,
    recall_queries: sample.length,
    switched: wanted && options.side === null,
    duration_ms: connection.clock.monotonicMs() - began,
    events_per_second: built.eventsPerSecond,
    outcome: !wanted ? 'differs' : options.side === null ? 'switched' : 'built',
    error: null,
  };
}
