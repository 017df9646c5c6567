import { hostname } from 'node:os';
import closeWithGrace from 'close-with-grace';
import { type Configuration, ConfigurationError } from '../schemas/configuration.ts';
import { systemClock } from '../streams/clock.ts';
import { createLogger, standardOutput } from '../streams/logging.ts';
import { configurationOrExit, tracingStopMs } from '../streams/process.ts';
import { processTelemetry } from '../streams/telemetry/telemetry.ts';
import { startTracing } from '../streams/telemetry/tracing.ts';
import { assertBindAllowed } from './bind.ts';
import { createGateway } from './gateway.ts';
import { createRequestLog } from './plugins/request-log.ts';

const closeDelayMs = 15_000;
const exitMisconfigured = 2;
const exitNotBound = 1;

await main();

/** Runs the gateway as a process, until it is told to stop: then what was begun is answered, in bounded time. */
async function main(): Promise<void> {
  const configuration = configurationOrExit();
  const { host, port } = configuration.gateway;
  refuseOpenBind(configuration);
  const output = standardOutput();
  const log = createLogger('gateway', configuration.logLevel, output);
  const head = { name: 'gateway', pid: process.pid, hostname: hostname() };
  const write = (line: string) => output.write(line);
  const isLogged = configuration.gateway.requestLog && log.isLevelEnabled('info');
  const requestLog = isLogged ? createRequestLog(write, head, systemClock) : undefined;
  const connect = { ...configuration.nats, name: 'lakehouse-gateway', clock: systemClock, waitForServer: true };
  const instance = configuration.instance ?? `gateway-${process.pid}`;
  const telemetry = processTelemetry(await startTracing(configuration.tracing, 'gateway', instance));
  const gateway = await createGateway(configuration, { ...connect, telemetry }, log, requestLog).catch(
    exitWhereMisconfigured,
  );
  closeWithGrace(
    { delay: closeDelayMs, logger: { error: (...parts: unknown[]) => log.error({ parts }, 'closing') } },
    async ({ err, signal }) => {
      if (err) log.error({ error: err }, 'stopping after an error that nobody caught');
      else log.info({ signal }, 'stopping');
      await gateway.close();
      await telemetry.tracing?.stop(tracingStopMs);
      log.info({}, 'stopped');
    },
  );
  try {
    await gateway.app.listen({ host, port });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `the gateway can not listen on ${host}:${port} (LAKEHOUSE_GATEWAY_HOST, LAKEHOUSE_GATEWAY_PORT): ${reason}\n`,
    );
    await gateway.close();
    process.exit(exitNotBound);
  }
  log.info({ addresses: gateway.app.addresses() }, 'started');
}

function refuseOpenBind({ gateway }: Configuration): void {
  try {
    assertBindAllowed(gateway.host, gateway.token ?? gateway.secondaryTokens[0]);
  } catch (error) {
    exitWhereMisconfigured(error);
  }
}

function exitWhereMisconfigured(error: unknown): never {
  if (!(error instanceof ConfigurationError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(exitMisconfigured);
}
