import closeWithGrace from 'close-with-grace';
import type { FastifyInstance } from 'fastify';
import { type Configuration, ConfigurationError } from '../schemas/configuration.ts';
import { configurationOrExit, createLogger } from '../streams/process.ts';
import { buildApp } from './app.ts';
import { assertBindAllowed } from './bind.ts';
import type { GatewayOptions } from './dependencies.ts';
import { connectPorts, type GatewayPorts } from './ports.ts';

/** What is in work gets so long to be answered; what still waits for a service then is told that it is not there. */
const drainMs = 10_000;
/** Then answers get so long to leave, and connections that only send are cut. */
const leaveMs = 1_000;
const closeDelayMs = 15_000;
const exitMisconfigured = 2;
const exitNotBound = 1;

await main();

/** Runs the gateway as a process, until it is told to stop: then what was begun is answered, in bounded time. */
async function main(): Promise<void> {
  const configuration = configurationOrExit();
  refuseOpenBind(configuration);
  const { host, port } = configuration.gateway;
  const log = createLogger('gateway', configuration.logLevel);
  const ports = await connectPorts(configuration.nats, log);
  const app = buildApp(gatewayOptions(configuration), ports.dependencies);
  closeWithGrace(
    { delay: closeDelayMs, logger: { error: (...parts: unknown[]) => log.error({ parts }, 'closing') } },
    async ({ err, signal }) => {
      if (err) log.error({ error: err }, 'stopping after an error that nobody caught');
      else log.info({ signal }, 'stopping');
      await drain(app, ports);
      log.info({}, 'stopped');
    },
  );
  try {
    await app.listen({ host, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `the gateway can not listen on ${host}:${port} (LAKEHOUSE_GATEWAY_HOST, LAKEHOUSE_GATEWAY_PORT): ${reason}\n`,
    );
    await ports.close();
    process.exit(exitNotBound);
  }
  log.info({ addresses: app.addresses() }, 'started');
}

async function drain(app: FastifyInstance, ports: GatewayPorts): Promise<void> {
  const { clock } = ports.dependencies;
  const waits = new AbortController();
  const closed = app.close().then(() => waits.abort());
  await clock.sleep(drainMs, waits.signal);
  await ports.close();
  await clock.sleep(leaveMs, waits.signal);
  app.server.closeAllConnections();
  await closed;
}

function refuseOpenBind({ gateway }: Configuration): void {
  try {
    assertBindAllowed(gateway.host, gateway.token ?? gateway.secondaryTokens[0]);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitMisconfigured);
  }
}

function gatewayOptions({ gateway, embedder }: Configuration): GatewayOptions {
  return { ...gateway, embedDeadlineMs: embedder.deadlineMs, defaultSpace: embedder.space };
}
