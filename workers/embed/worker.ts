import type { Configuration } from '../../schemas/configuration.ts';
import type { OfferedModel } from '../../schemas/embedder-models.ts';
import { formatSpace } from '../../schemas/space.ts';
import { readNewest } from '../../streams/append.ts';
import { withinDeadline } from '../../streams/deadline.ts';
import { deleteConsumer } from '../../streams/durable-consumer.ts';
import { reportOutcomes } from '../../streams/outcomes.ts';
import type { ProcessContext, WorkerProcess } from '../../streams/process.ts';
import { type ReactorHandlers, startReactor } from '../../streams/reactor.ts';
import { startService } from '../../streams/service.ts';
import { subjectOf } from '../../streams/subjects.ts';
import { startSpaceReactors } from '../corpus-spaces/space-reactors.ts';
import { type CachedEmbedder, withCache } from './cache.ts';
import { createEmbedder, type EmbedderChoice } from './choose.ts';
import { decideCorpus, decideEmbed, decideInAll, decideInSpace, type EmbedPorts, type EmbedText } from './decide.ts';
import { createGatherer } from './gather.ts';
import { joinsFor } from './joins.ts';
import { tellOfCache } from './metrics.ts';
import { type OfferedEmbedders, offerEmbedders } from './offered.ts';
import { embedEndpoints } from './service.ts';

const requestsWaitingMax = 256;

/** Gives every document a vector, and answers whoever needs one for a query. */
export const embedWorker: WorkerProcess = {
  name: 'embed',
  streams: ['DOCUMENTS', 'VECTORS', 'REJECTED', 'INDEXES'],
  start: async (context) => {
    const { connection, configuration, log, observations } = context;
    const offered = await loadEmbedders(configuration.embedder);
    tellOfCache(connection.telemetry.metrics, offered.configured);
    for (const { name: embedder, space } of offered.all)
      log.info({ embedder, space: formatSpace(space) }, 'an embedder is loaded');
    const embedTexts = gatherers(offered, configuration.embedder.deadlineMs);
    const ports: Omit<EmbedPorts, 'joins'> = {
      newestVector: (space, corpus, id) => newestVector(context, space, corpus, id),
      embedderOf: (space) => embedTexts.get(space),
      remembered: (space, text) => offered.ofSpace(space)?.remembered(text, 'document'),
    };
    const joins = await joinsFor(connection, 'embed');
    const service = await startService({
      connection,
      log,
      requestsWaitingMax,
      name: 'embed',
      version: '1.0.0',
      description: 'vectors of texts',
      endpoints: embedEndpoints(offered, connection.clock),
    });
    const inSpaces = await startSpaceReactors({
      connection,
      worker: 'embed',
      log,
      canDo: (space) => embedTexts.has(space),
      forget: (durable) => deleteConsumer(connection, 'DOCUMENTS', durable),
      start: async ({ corpus, space }, durable) => {
        const portsInSpace = { ...ports, joins: await joinsFor(connection, durable) };
        return startReactor({
          connection,
          worker: 'embed',
          log,
          consumer: { durable, filterSubject: `documents.${corpus}.*` },
          handlers: {
            'lakehouse.document': (event, message) => decideInSpace(event, message, space, portsInSpace),
            'lakehouse.corpus': () => ({ kind: 'skip', reason: 'it is said of every space' }),
          },
        });
      },
    });
    const handlers = {
      'lakehouse.document': (event, message) => decideEmbed(event, message, { ...ports, joins }),
      'lakehouse.corpus': decideCorpus,
    } satisfies ReactorHandlers<'embed'>;
    const reactor = await startReactor({
      connection,
      worker: 'embed',
      log,
      onOutcome: reportOutcomes(observations, 'embed'),
      handlers,
      // What was set aside was so for every space that takes it up; what has been said since is looked at.
      retryHandlers: {
        ...handlers,
        'lakehouse.document': (event, message) =>
          decideInAll(event, message, inSpaces.spaces.held(), { ...ports, joins: () => true }),
      },
    });
    return {
      notReady: () => undefined,
      stop: async (drainMs) => {
        await Promise.all([service.stop(), reactor.stop(drainMs), inSpaces.stop(drainMs)]);
        await Promise.all(offered.all.map((embedder) => embedder.close()));
      },
    };
  },
};

async function newestVector({ connection }: ProcessContext, space: string, corpus: string, id: string) {
  const subject = subjectOf('lakehouse.vector', { space, corpus, key: id });
  return (await readNewest(connection, 'lakehouse.vector', subject))?.data;
}

async function loadEmbedders(embedder: Configuration['embedder']): Promise<OfferedEmbedders> {
  const load = async (model: OfferedModel): Promise<CachedEmbedder> =>
    withCache(await createEmbedder(choiceOf(model, embedder)), embedder.cacheSize);
  const beside: CachedEmbedder[] = [];
  const configured = await load(embedder);
  for (const model of embedder.beside) beside.push(await load(model));
  return offerEmbedders(configured, beside);
}

function choiceOf(
  { kind, space }: OfferedModel,
  { threads, deadlineMs, ollamaHost }: Configuration['embedder'],
): EmbedderChoice {
  if (kind === 'minilm') return { kind, ...(threads === undefined ? {} : { threads }) };
  const { model, dimension, prefixScheme } = space;
  return { kind, model, dimension, prefixScheme, deadlineMs, host: ollamaHost };
}

/** Documents of each space go to its embedder in batches of their own. */
function gatherers({ all }: OfferedEmbedders, deadlineMs: number): ReadonlyMap<string, EmbedText> {
  const gatherer = (embedder: CachedEmbedder) =>
    createGatherer((texts) => withinDeadline(deadlineMs, (signal) => embedder.embed(texts, 'document', signal)));
  return new Map(all.map((embedder) => [formatSpace(embedder.space), gatherer(embedder)]));
}
