import { reportOutcomes } from '../../streams/outcomes.ts';
import type { WorkerProcess } from '../../streams/process.ts';
import { startReactor } from '../../streams/reactor.ts';
import { decideIngest } from './decide.ts';
import { decideCorpus } from './decide-corpus.ts';

/** Folds what producers say into the newest state of every document. */
export const ingestWorker: WorkerProcess = {
  name: 'ingest',
  streams: ['INGEST', 'DOCUMENTS', 'REJECTED'],
  start: async ({ connection, configuration, log, observations }) => {
    const { space } = configuration.embedder;
    const reactor = await startReactor({
      connection,
      worker: 'ingest',
      log,
      onOutcome: reportOutcomes(observations, 'ingest'),
      handlers: {
        'lakehouse.ingest': (event, context) => decideIngest(event, context, space),
        'lakehouse.corpus-change': decideCorpus,
      },
    });
    return { notReady: () => undefined, stop: (drainMs) => reactor.stop(drainMs) };
  },
};
