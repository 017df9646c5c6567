import type { Configuration } from '../../schemas/configuration.ts';
import { formatSpace } from '../../schemas/space.ts';
import { readNewest } from '../../streams/append.ts';
import { reportOutcomes } from '../../streams/outcomes.ts';
import type { ProcessContext, WorkerProcess } from '../../streams/process.ts';
import { startReactor } from '../../streams/reactor.ts';
import { startService } from '../../streams/service.ts';
import { subjectOf } from '../../streams/subjects.ts';
import { withCache } from './cache.ts';
import { createEmbedder, type EmbedderChoice } from './choose.ts';
import { decideEmbed, type EmbedPorts } from './decide.ts';
import { createGatherer } from './gather.ts';
import { tellOfCache } from './metrics.ts';
import { embedEndpoints } from './service.ts';

const requestsWaitingMax = 256;

/** Gives every document a vector, and answers whoever needs one for a query. */
export const embedWorker: WorkerProcess = {
  name: 'embed',
  streams: ['DOCUMENTS', 'VECTORS', 'REJECTED'],
  start: async (context) => {
    const { connection, configuration, log, observations } = context;
    const { cacheSize, deadlineMs } = configuration.embedder;
    const embedder = withCache(await createEmbedder(choiceOf(configuration.embedder)), cacheSize);
    tellOfCache(connection.telemetry.metrics, embedder);
    log.info({ embedder: embedder.name, space: formatSpace(embedder.space) }, 'the embedder is loaded');
    const gather = createGatherer((texts) => embedder.embed(texts, 'document', AbortSignal.timeout(deadlineMs)));
    const ports: EmbedPorts = {
      space: formatSpace(embedder.space),
      newestVector: (space, corpus, id) => newestVector(context, space, corpus, id),
      embed: gather,
    };
    const service = await startService({
      connection,
      log,
      requestsWaitingMax,
      name: 'embed',
      version: '1.0.0',
      description: 'vectors of texts',
      endpoints: embedEndpoints(embedder, connection.clock),
    });
    const reactor = await startReactor({
      connection,
      worker: 'embed',
      log,
      onOutcome: reportOutcomes(observations, 'embed'),
      handlers: { 'lakehouse.document': (event, message) => decideEmbed(event, message, ports) },
    });
    return {
      notReady: () => undefined,
      stop: async (drainMs) => {
        await Promise.all([service.stop(), reactor.stop(drainMs)]);
        await embedder.close();
      },
    };
  },
};

async function newestVector({ connection }: ProcessContext, space: string, corpus: string, id: string) {
  const subject = subjectOf('lakehouse.vector', { space, corpus, key: id });
  return (await readNewest(connection, 'lakehouse.vector', subject))?.data;
}

function choiceOf({ kind, space, threads, deadlineMs, ollamaHost }: Configuration['embedder']): EmbedderChoice {
  if (kind === 'minilm') return { kind, ...(threads === undefined ? {} : { threads }) };
  const { model, dimension, prefixScheme } = space;
  return { kind, model, dimension, prefixScheme, deadlineMs, host: ollamaHost };
}
