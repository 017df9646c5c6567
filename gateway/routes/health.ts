import type { FastifyInstance } from 'fastify';
import { problem } from '../../schemas/problems.ts';
import { indexInfoSchema } from '../../schemas/requests/index.ts';
import { alarmSentence, type StreamAlarm } from '../../streams/stream-watch.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { gatewayLimits } from '../limits.ts';
import { emptyBody, problemBody } from '../replies.ts';

type HealthDependencies = Pick<GatewayDependencies, 'client' | 'isConnected' | 'jetStreamReadiness' | 'streamAlarms'>;

/**
 * `/healthz`: the process lives. `/readyz`: JetStream answers a round trip, and an index worker that has caught up
 * answers. Both are open, so those who ask at the same time share one look.
 */
export function healthRoutes(app: FastifyInstance, dependencies: HealthDependencies): void {
  let looking: Promise<string | undefined> | undefined;
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    looking ??= notReady(dependencies).finally(() => {
      looking = undefined;
    });
    const reason = await looking;
    if (reason === undefined) return readyBody(dependencies.streamAlarms());
    return problemBody(reply, problem('unavailable', `not ready: ${reason}`));
  });
}

/** Ready, and what will keep it from taking more before long: searches do not mind a full stream. */
function readyBody(alarms: readonly StreamAlarm[]): object {
  return { status: 'ready', ...(alarms.length === 0 ? {} : { alarms: alarms.map(alarmSentence) }) };
}

async function notReady({ client, isConnected, jetStreamReadiness }: HealthDependencies): Promise<string | undefined> {
  if (!isConnected()) return 'there is no connection to the bus';
  const [log, index] = await Promise.all([jetStreamReadiness(), indexReadiness(client)]);
  return log ?? index;
}

async function indexReadiness(client: HealthDependencies['client']): Promise<string | undefined> {
  const { status, body } = await client.request('svc.index.info', emptyBody, {
    deadlineMs: gatewayLimits.readyDeadlineMs,
  });
  if (status !== 200) return `no index worker answers (status ${status})`;
  const info = indexInfoSchema.safeParse(readJson(body));
  if (!info.success) return 'an index worker answers what can not be read';
  return info.data.caught_up ? undefined : `index worker ${info.data.worker} has not caught up yet`;
}

function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}
