import { nextMessageId } from '../../streams/append.ts';
import { deleteConsumer } from '../../streams/durable-consumer.ts';
import { observed, reportOutcomes } from '../../streams/outcomes.ts';
import type { WorkerProcess } from '../../streams/process.ts';
import { type ReactorHandlers, startReactor, startRetries } from '../../streams/reactor.ts';
import { type ServiceHandler, startService } from '../../streams/service.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { startSpaceReactors } from '../corpus-spaces/space-reactors.ts';
import { createEmbedQueries } from '../query-vectors/embed-query.ts';
import { copyIntoAll, copyRecording } from './copy.ts';
import { playbookEndpoints } from './service.ts';

const requestsWaitingMax = 256;

/** Records what people chose. */
export const playbookWorker: WorkerProcess = {
  name: 'playbook',
  streams: ['PLAYBOOKS', 'INDEXES', 'REJECTED'],
  start: async ({ connection, log, observations }) => {
    const client = createServiceClient(connection);
    const embedQueries = createEmbedQueries(client);
    const ports = { connection, embedQueries };
    const handlersOf = (copy: ReactorHandlers<'playbook'>['lakehouse.playbook']): ReactorHandlers<'playbook'> => ({
      'lakehouse.playbook': copy,
      'lakehouse.playbook-retracted': () => ({ kind: 'skip', reason: 'it holds in every space' }),
    });
    const inSpaces = await startSpaceReactors({
      connection,
      worker: 'playbook',
      log,
      canDo: () => true,
      forget: (durable) => deleteConsumer(connection, 'PLAYBOOKS', durable),
      start: (of, durable) =>
        startReactor({
          connection,
          worker: 'playbook',
          log,
          consumer: { durable },
          handlers: handlersOf((event, message) => copyRecording(event, message, of, ports)),
        }),
    });
    const retries = await startRetries({
      connection,
      worker: 'playbook',
      log,
      onOutcome: reportOutcomes(observations, 'playbook'),
      handlers: handlersOf((event, message) => copyIntoAll(event, message, inSpaces.spaces.held(), ports)),
    });
    const endpoints: Record<string, ServiceHandler> = playbookEndpoints({
      connection,
      embedQueries,
      servingSpace: inSpaces.spaces.serving,
      nextId: nextMessageId,
    });
    const service = await startService({
      connection,
      log,
      requestsWaitingMax,
      name: 'playbooks',
      version: '1.0.0',
      description: 'records and retracts what people chose',
      endpoints: observed(endpoints, observations, connection.clock),
    });
    return {
      notReady: () => undefined,
      stop: async (drainMs) => {
        await Promise.all([service.stop(), inSpaces.stop(drainMs), retries.stop(drainMs)]);
        client.close();
      },
    };
  },
};
