import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { backoffMs } from '../../streams/durations.ts';
import type { ProcessContext, RunningWorker, WorkerProcess } from '../../streams/process.ts';
import { type Projector, startProjector } from '../../streams/projector.ts';
import { foldDeadLetters } from '../../streams/rejections.ts';
import { type RunningService, startService } from '../../streams/service.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { createAuditProcess } from '../audit/audit-process.ts';
import { auditServices } from './audit-services.ts';
import type { Checkpoint } from './checkpoint.ts';
import { recoverCheckpoint, startCheckpointStore } from './checkpoint-store.ts';
import { tellOfDeadLetters } from './dead-letters.ts';
import { evolve } from './fold.ts';
import { type LineStream, startLineProjection } from './line-projection.ts';
import { observerServices } from './services.ts';

const requestsWaitingMax = 1_000;
const openRetryFirstMs = 250;
const openRetryMaxMs = 5_000;

/** Folds what processes observed into statistics, and writes the logs of audits and replays to files. */
export const observerWorker: WorkerProcess = {
  name: 'observer',
  streams: ['OBSERVATIONS', 'AUDIT_BASELINES', 'REPLAY_RUNS', 'REJECTED'],
  start: startObserver,
};

async function startObserver(context: ProcessContext): Promise<RunningWorker> {
  const { connection, log } = context;
  const folder = join(context.configuration.dataDirectory, '_kb');
  const observations = await untilDone(context, 'take up OBSERVATIONS', () => startObservationFold(context));
  const project = (stream: LineStream, file: string) =>
    untilDone(context, `take up ${file}`, () => startLineProjection(context, stream, join(folder, file)));
  const projections = await Promise.all([
    project('AUDIT_BASELINES', 'audit_baselines.jsonl'),
    project('REPLAY_RUNS', 'replay_runs.jsonl'),
  ]);
  const rejected = foldDeadLetters(connection, 'observer', log);
  tellOfDeadLetters(connection.telemetry.metrics, rejected.letters);
  const services = observerServices({
    connection,
    rejected,
    state: () => observations.folded().state,
    progress: observations.projector.progress,
    newId: randomUUID,
  });
  const { dataDirectory } = context.configuration;
  const audits = auditServices({ dataDirectory, clock: connection.clock, audit: createAuditProcess(dataDirectory) });
  let service: RunningService | undefined;
  let stopping = false;
  const serving = observations.projector.caughtUp.then(async () => {
    if (stopping) return;
    service = await startService({
      connection,
      log,
      requestsWaitingMax,
      name: 'observer',
      version: '1.0.0',
      description: 'statistics of what was done, events to count, and what audits and replays came to',
      endpoints: { ...services.endpoints, ...audits.endpoints },
    });
  });
  serving.catch((error: unknown) => log.error({ error }, 'the services of the observer could not be started'));

  return {
    notReady: () => {
      if (service === undefined) return `OBSERVATIONS is folded up to ${observations.projector.progress.sequence()}`;
      return projections.map((projection) => projection.notReady()).find((reason) => reason !== undefined);
    },
    stop: async (drainMs) => {
      stopping = true;
      audits.stop();
      const drain = async () => {
        await service?.stop();
        await services.settled();
        const folds = [observations, rejected.projector, ...projections];
        await Promise.all(folds.map((fold) => fold.stop()));
      };
      const deadline = new AbortController();
      await Promise.race([drain(), connection.clock.sleep(drainMs, deadline.signal)]);
      deadline.abort();
    },
  };
}

interface ObservationFold {
  readonly projector: Projector;
  readonly folded: () => Checkpoint;
  stop(): Promise<void>;
}

async function startObservationFold(context: ProcessContext): Promise<ObservationFold> {
  const { connection, log, configuration } = context;
  const path = join(configuration.dataDirectory, 'observer', 'state.json');
  const stream = await readStreamState(connection, 'OBSERVATIONS');
  // State and sequence change together, so that no checkpoint can hold one without the other.
  let folded = await recoverCheckpoint(path, stream, connection.clock, log);
  const store = startCheckpointStore(path, () => folded, log);
  const projector = startProjector({
    connection,
    log,
    stream: 'OBSERVATIONS',
    worker: 'observer',
    checkpoint: folded.sequence,
    handlers: {
      'lakehouse.observation': ({ data }, { sequence }) => {
        folded = { ...folded, sequence, state: evolve(folded.state, data) };
        store.noteEvent();
      },
    },
  });
  return {
    projector,
    folded: () => folded,
    stop: async () => {
      await projector.stop();
      await store.stop();
    },
  };
}

/** A server or a disk that does not answer at the start is waited for, and told. */
async function untilDone<Result>(
  { connection, log }: ProcessContext,
  what: string,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      log.warn({ error, attempt }, `could not ${what}; trying again`);
      await connection.clock.sleep(backoffMs(attempt, openRetryFirstMs, openRetryMaxMs));
    }
  }
}
