import type { Position } from '../../schemas/position.ts';
import { formatSpace } from '../../schemas/space.ts';
import { nextMessageId } from '../../streams/append.ts';
import { openObjectStore } from '../../streams/open-object-store.ts';
import { observed } from '../../streams/outcomes.ts';
import type { ProcessContext, RunningWorker, WorkerProcess } from '../../streams/process.ts';
import { startProjector } from '../../streams/projector.ts';
import { startService } from '../../streams/service.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { createIndexCatalogue } from '../corpus-index/catalogue.ts';
import { createFoldGate } from '../corpus-index/gate.ts';
import { startIndexFolds } from '../corpus-index/state.ts';
import { createCorpusSpaces } from '../corpus-spaces/corpus-spaces.ts';
import { dropFloor } from '../documents/corpus-state.ts';
import { createEmbedQueries } from '../query-vectors/embed-query.ts';
import { startBackgroundWork } from './background.ts';
import { createCorpora } from './corpora.ts';
import { gateEndpoints } from './gates.ts';
import { createInspection } from './inspect.ts';
import { documentLookups } from './lookups/documents.ts';
import { ingestedLookup } from './lookups/ingested.ts';
import { createLiftCounts } from './lookups/lift-counts.ts';
import { playbookLookups } from './lookups/playbooks.ts';
import { tellOfIndexes } from './metrics.ts';
import { createRejections } from './rejections.ts';
import { createSearch } from './search.ts';
import { startSearchLog } from './search-log.ts';
import { createSearchableWaits } from './searchable.ts';
import { bootFromSnapshot, logOf, startSnapshots } from './snapshots.ts';
import { startSwitching } from './switching.ts';
import { vectorsEndpoints } from './vectors/endpoints.ts';
import { createWords } from './words.ts';

const requestsWaitingMax = 2_000;
/** Rejections of the last so many messages are known at boot; older ones nobody waits for any more. */
const rejectionsReadAtBoot = 20_000;
/** Batches of searches that lifts are counted from at boot: what they say of the past is bounded, and told as such. */
const searchBatchesReadAtBoot = 5_000;

/** Keeps the indexes in memory, and answers searches from them. */
export const indexWorker: WorkerProcess = {
  name: 'index',
  streams: ['VECTORS', 'PLAYBOOKS', 'INDEXES', 'REJECTED', 'SEARCHES'],
  start: startIndexWorker,
};

async function startIndexWorker(context: ProcessContext): Promise<RunningWorker> {
  const { configuration, connection, log, observations, instance } = context;
  const { clock } = connection;
  const store = await openObjectStore(configuration, clock);
  const spaces = createCorpusSpaces();
  const catalogue = createIndexCatalogue(formatSpace(configuration.embedder.space), (corpus) => spaces.serving(corpus));
  const gate = createFoldGate();
  const boot = await bootFromSnapshot({ store, catalogue, connection, log });

  let folds: ReturnType<typeof startIndexFolds> | undefined;
  const position = (): Position => folds?.position() ?? boot.checkpoint;
  const rejected = createRejections();
  const waits = createSearchableWaits(catalogue, rejected, clock, position, spaces.serving);
  const switching = await startSwitching({ connection, store, catalogue, log, position, spaces });
  const words = createWords({
    connection,
    log,
    position,
    floorOf: (corpus) => dropFloor(catalogue.corpusState(corpus)),
  });
  const background = startBackgroundWork(catalogue, gate, configuration.index.recallTarget);
  folds = startIndexFolds({
    connection,
    catalogue,
    log,
    gate,
    worker: 'index',
    checkpoint: boot.checkpoint,
    onApplied: (name, id) => {
      if (name.kind === 'documents') waits.onApplied(name.corpus, id);
    },
    onVector: words.note,
    onCorpus: (corpus) => {
      words.onCorpus(corpus);
      waits.onCorpus(corpus);
    },
    alsoInto: switching.joining,
    concerns: switching.isFolded,
    betweenEvents: background.letOthersIn,
  });
  const rejections = startProjector({
    connection,
    log,
    stream: 'REJECTED',
    worker: 'index',
    checkpoint: Math.max(0, (await readStreamState(connection, 'REJECTED')).lastSequence - rejectionsReadAtBoot),
    handlers: {
      'lakehouse.rejected': ({ data }) => waits.onRejected(data),
      'lakehouse.rejected-resolved': ({ data }) => waits.onResolved(data),
      'lakehouse.rejected-retry': () => undefined,
    },
  });
  const lifts = createLiftCounts();
  const logged = startProjector({
    connection,
    log,
    stream: 'SEARCHES',
    worker: 'index',
    checkpoint: Math.max(0, (await readStreamState(connection, 'SEARCHES')).lastSequence - searchBatchesReadAtBoot),
    onlyLooks: true,
    handlers: { 'lakehouse.search': ({ data }) => lifts.note(data) },
  });
  await folds.caughtUp;
  log.info({ position: position() }, 'caught up');
  if (configuration.index.retrieval !== 'vector')
    for (const { kind, side, ...of } of catalogue.all()) if (kind === 'documents' && side === null) words.atHand(of);

  const { snapshotIntervalMs, snapshotsKept, searchLog, searchLogSample, judgeUrls, retrieval, hybrid } =
    configuration.index;
  const snapshots = startSnapshots({
    store,
    catalogue,
    position,
    clock,
    log,
    logOf: (checkpoint) => logOf(connection, checkpoint),
    intervalMs: snapshotIntervalMs,
    kept: snapshotsKept,
    newest: boot.snapshot,
    bootedAt: boot.checkpoint,
    instance,
  });
  const client = createServiceClient(connection);
  const searches = searchLog ? startSearchLog(connection, searchLogSample, Math.random) : undefined;
  const inspection = createInspection({
    catalogue,
    gate,
    position,
    instance,
    isCaughtUp: folds.isCaughtUp,
    newestSnapshot: snapshots.newest,
    rebuiltBy: switching.rebuiltBy,
    clock,
    waitForPosition: folds.waitFor,
    words,
  });
  tellOfIndexes({
    metrics: connection.telemetry.metrics,
    catalogue,
    clock,
    position,
    newestSnapshot: snapshots.newest,
    digestAtMs: inspection.digestAtMs,
  });
  const search = createSearch({
    catalogue,
    clock,
    position,
    judgeUrls,
    fetch,
    words,
    retrieval,
    hybrid,
    embedQueries: createEmbedQueries(client),
    waitForPosition: folds.waitFor,
    ...(searches === undefined ? {} : { onAnswered: searches.note }),
  });
  const common = { connection, log, requestsWaitingMax, version: '1.0.0' };
  const vectors = vectorsEndpoints({
    catalogue,
    connection,
    log,
    waits,
    rejected,
    position,
    waitForPosition: folds.waitFor,
    nextId: nextMessageId,
  });
  const services = await Promise.all([
    startService({
      ...common,
      name: 'vectors',
      description: 'indexes of vectors that callers bring',
      endpoints: observed(vectors, observations, clock),
    }),
    startService({
      ...common,
      name: 'matrix',
      description: 'finds documents by meaning, and lifts what people chose',
      endpoints: observed(
        {
          'svc.matrix.search': search,
          'svc.matrix.corpora': createCorpora(catalogue, position),
          ...gateEndpoints(configuration.downgrade, clock),
        },
        observations,
        clock,
      ),
    }),
    startService({
      ...common,
      name: 'index',
      description: 'tells what the indexes hold',
      endpoints: {
        'svc.index.wait': waits.endpoint,
        'svc.index.info': inspection.info,
        'svc.index.digest': inspection.digest,
        'svc.index.snapshot': snapshots.endpoint,
        ...ingestedLookup({ catalogue, connection, rejected, position }),
        ...documentLookups({ catalogue, connection, rejected, position, waitForPosition: folds.waitFor }),
        ...playbookLookups({
          catalogue,
          connection,
          lifts,
          sample: searchLog ? searchLogSample : 0,
          position,
          waitForPosition: folds.waitFor,
        }),
      },
    }),
  ]);
  const running = folds;
  return {
    notReady: () => (running.isCaughtUp() ? undefined : 'the index has not caught up with the log yet'),
    stop: async () => {
      await Promise.all(services.map((service) => service.stop()));
      await Promise.all([searches?.stop(), switching.stop(), rejections.stop(), logged.stop(), running.stop()]);
      await words.stop();
      background.stop();
      await snapshots.stop();
      client.close();
    },
  };
}
