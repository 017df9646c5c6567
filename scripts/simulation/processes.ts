import { parseSpace } from '../../schemas/space.ts';
import { readNewest } from '../../streams/append.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { ObjectStore } from '../../streams/object-store.ts';
import { type ReactorHandlers, startReactor } from '../../streams/reactor.ts';
import type { ServiceHandler } from '../../streams/service.ts';
import { subjectOf } from '../../streams/subjects.ts';
import type { RuntimeConnection } from '../../streams/transport.ts';
import { createIndexCatalogue, type IndexCatalogue } from '../../workers/corpus-index/catalogue.ts';
import { createFoldGate, type FoldGate } from '../../workers/corpus-index/gate.ts';
import { type IndexFolds, startIndexFolds } from '../../workers/corpus-index/state.ts';
import { startSpaceReactors } from '../../workers/corpus-spaces/space-reactors.ts';
import { defaultSpace } from '../../workers/documents/testing/history.ts';
import {
  decideEmbed,
  decideInSpace,
  type EmbedPorts,
  decideCorpus as embedCorpus,
} from '../../workers/embed/decide.ts';
import { EmbedderError } from '../../workers/embed/embedder.ts';
import { bootFromSnapshot, logOf, type Snapshots, startSnapshots } from '../../workers/index/snapshots.ts';
import { decideIngest } from '../../workers/ingest/decide.ts';
import { decideCorpus } from '../../workers/ingest/decide-corpus.ts';
import { copyRecording } from '../../workers/playbook/copy.ts';
import { playbookEndpoints } from '../../workers/playbook/service.ts';
import type { EmbedQueries } from '../../workers/query-vectors/embed-query.ts';
import { fakeVector } from './fake-vectors.ts';

/** The workers as the simulator runs them: their handlers and the runtimes are the product's, only what is wired differs. */

export const configuredSpaceText = 'fake@2';
export const besideSpaceText = 'beside@3';

/** A policy under which what is bounded is met: few messages at once, and waits that a short run gets to see. */
const boundedDelivery = { ackPendingMax: 12, concurrency: 4, retryFirstMs: 50, retryMaxMs: 5_000 };

export interface ProcessPorts {
  readonly connection: RuntimeConnection;
  readonly log: RuntimeLog;
  /** Numbers in [0, 1), from the seed. */
  readonly chance: () => number;
  /** Probability that the embedder is away when it is asked. */
  readonly embedderAway: () => number;
  /** Where the index workers keep their snapshots. */
  readonly store: ObjectStore;
  readonly instance: string;
  /** Wraps handlers with a broken guard. */
  readonly breakIngest: (handlers: ReactorHandlers<'ingest'>) => ReactorHandlers<'ingest'>;
  /** Whether vectors are joined with what VECTORS holds, or appended as they come and joined by the folds. */
  readonly joins: boolean;
  /** Left out: that of the catalog. */
  readonly ackWaitMs?: { readonly ackWaitMs: number };
  /** What is added to a checkpoint beyond the state. */
  readonly checkpointAhead: number;
}

/** A started process. */
export interface SimulatedProcess {
  stop(): Promise<void>;
  readonly index?: {
    readonly catalogue: IndexCatalogue;
    readonly folds: IndexFolds;
    readonly gate: FoldGate;
    readonly snapshots: Snapshots;
  };
  readonly playbooks?: Readonly<Record<string, ServiceHandler>>;
}

export type ProcessKind = 'ingest' | 'embed' | 'playbook' | 'index';

export const startProcess: Readonly<Record<ProcessKind, (ports: ProcessPorts) => Promise<SimulatedProcess>>> = {
  ingest: async ({ connection, log, breakIngest, ackWaitMs }) => {
    const handlers: ReactorHandlers<'ingest'> = {
      'lakehouse.ingest': (event, context) => decideIngest(event, context, defaultSpace),
      'lakehouse.corpus-change': decideCorpus,
    };
    const reactor = await startReactor({
      connection,
      worker: 'ingest',
      log,
      delivery: { ...boundedDelivery, ...ackWaitMs },
      handlers: breakIngest(handlers),
    });
    return { stop: () => reactor.stop(stopMs) };
  },
  embed: startEmbed,
  playbook: startPlaybook,
  index: startIndex,
};

const stopMs = 2_000;
const embedMsMax = 60;

async function startEmbed(process: ProcessPorts): Promise<SimulatedProcess> {
  const { connection, log, chance } = process;
  const delivery = { ...boundedDelivery, ...process.ackWaitMs };
  const embedder = (space: string) => async (text: string) => {
    await connection.clock.sleep(chance() * embedMsMax);
    if (chance() < process.embedderAway())
      throw new EmbedderError({ kind: 'outage', message: 'simulated: the embedder is away' });
    return { vector: fakeVector(space, text), truncated: false };
  };
  const ports: EmbedPorts = {
    newestVector: async (space, corpus, id) =>
      (await readNewest(connection, 'lakehouse.vector', subjectOf('lakehouse.vector', { space, corpus, key: id })))
        ?.data,
    embedderOf: (space) => (parseSpace(space) === undefined ? undefined : embedder(space)),
    remembered: () => undefined,
    joins: () => process.joins,
  };
  const reactor = await startReactor({
    connection,
    worker: 'embed',
    log,
    delivery,
    handlers: {
      'lakehouse.document': (event, context) => decideEmbed(event, context, ports),
      'lakehouse.corpus': embedCorpus,
    },
  });
  const inSpaces = await startSpaceReactors({
    connection,
    worker: 'embed',
    log,
    canDo: () => true,
    forget: neverDropped,
    start: ({ corpus, space }, durable) =>
      startReactor({
        connection,
        worker: 'embed',
        log,
        delivery,
        consumer: { durable, filterSubject: `documents.${corpus}.*` },
        handlers: {
          'lakehouse.document': (event, context) => decideInSpace(event, context, space, ports),
          'lakehouse.corpus': () => ({ kind: 'skip', reason: 'it is said of every space' }),
        },
      }),
  });
  return {
    stop: async () => {
      await Promise.all([reactor.stop(stopMs), inSpaces.stop(stopMs)]);
    },
  };
}

const neverDropped = () => Promise.reject(new Error('no space is dropped here'));

async function startPlaybook({
  connection,
  log,
  chance,
  instance,
  ackWaitMs,
}: ProcessPorts): Promise<SimulatedProcess> {
  const embedQueries: EmbedQueries = async (texts, { space = configuredSpaceText }) => {
    await connection.clock.sleep(chance() * embedMsMax);
    return { space, vectors: texts.map((text) => fakeVector(space, text)), truncated: texts.map(() => false) };
  };
  const inSpaces = await startSpaceReactors({
    connection,
    worker: 'playbook',
    log,
    canDo: () => true,
    forget: neverDropped,
    start: (of, durable) =>
      startReactor({
        connection,
        worker: 'playbook',
        log,
        delivery: { ...boundedDelivery, ...ackWaitMs },
        consumer: { durable },
        handlers: {
          'lakehouse.playbook': (event, context) => copyRecording(event, context, of, { connection, embedQueries }),
          'lakehouse.playbook-retracted': () => ({ kind: 'skip', reason: 'it holds in every space' }),
        },
      }),
  });
  let asked = 0;
  const nextId = () => `${instance}-${asked++}`;
  return {
    playbooks: playbookEndpoints({ connection, embedQueries, servingSpace: inSpaces.spaces.serving, nextId }),
    stop: () => inSpaces.stop(stopMs),
  };
}

const snapshotsKept = 2;

async function startIndex(process: ProcessPorts): Promise<SimulatedProcess> {
  const { connection, log, store, instance, checkpointAhead } = process;
  const { clock } = connection;
  const catalogue = createIndexCatalogue(configuredSpaceText);
  const gate = createFoldGate();
  const boot = await bootFromSnapshot({ store, catalogue, connection, log });
  const folds = startIndexFolds({
    connection,
    catalogue,
    log,
    gate,
    worker: 'index',
    checkpoint: boot.checkpoint,
  });
  const position = () => {
    const { VECTORS = 0, ...rest } = folds.position();
    return { ...rest, VECTORS: VECTORS + checkpointAhead };
  };
  const snapshots = startSnapshots({
    store,
    catalogue,
    position,
    clock,
    log,
    logOf: (checkpoint) => logOf(connection, checkpoint),
    intervalMs: 0,
    kept: snapshotsKept,
    newest: boot.snapshot,
    bootedAt: boot.checkpoint,
    instance,
  });
  return {
    index: { catalogue, folds, gate, snapshots },
    stop: async () => {
      await folds.stop();
      await snapshots.stop();
    },
  };
}
