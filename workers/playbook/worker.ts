import { nextMessageId } from '../../streams/append.ts';
import { observed } from '../../streams/outcomes.ts';
import type { WorkerProcess } from '../../streams/process.ts';
import { type ServiceHandler, startService } from '../../streams/service.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { createEmbedQueries } from '../query-vectors/embed-query.ts';
import { playbookEndpoints } from './service.ts';

const requestsWaitingMax = 256;

/** Records what people chose. */
export const playbookWorker: WorkerProcess = {
  name: 'playbook',
  streams: ['PLAYBOOKS'],
  start: async ({ connection, log, observations }) => {
    const client = createServiceClient(connection);
    const endpoints: Record<string, ServiceHandler> = playbookEndpoints({
      connection,
      embedQueries: createEmbedQueries(client),
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
      stop: async () => {
        await service.stop();
        client.close();
      },
    };
  },
};
