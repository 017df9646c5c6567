import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Configuration, ConfigurationError, readConfiguration } from '../../schemas/configuration.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog, type LogConnection } from '../../streams/connection.ts';
import { loadCredentials, roleConnection } from '../../streams/server/credentials.ts';
import { exitCodes } from '../exit-codes.ts';
import { readStack } from '../stack/running.ts';
import { CommandError } from './errors.ts';
import { dataDirectoryOf } from './gateway.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration of the environment, or exit code 2 with what is wrong in it. */
export function configurationOf(environment: Environment): Configuration {
  try {
    return readConfiguration(environment);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new CommandError(exitCodes.usage, {
      happened: error.message,
      means: 'Nothing was started.',
      remedy: 'Mend the variables that are named, and try again.',
    });
  }
}

/**
 * The environment in which a process speaks to the log as the operator: as the environment itself has it, else with
 * the address of the stack that runs on the data directory and the credentials that lie there.
 */
export async function operatorEnvironment(
  dataDirFlag: string | undefined,
  environment: Environment = process.env,
): Promise<Record<string, string | undefined>> {
  const dataDirectory = dataDirectoryOf(dataDirFlag, environment);
  const here = { ...environment, LAKEHOUSE_DATA_DIR: dataDirectory };
  if (environment.LAKEHOUSE_NATS_USER !== undefined) return here;
  const record = readStack(dataDirectory);
  const url = environment.LAKEHOUSE_NATS_URL ?? record?.nats_url;
  if (url === undefined || !(await hasCredentials(dataDirectory))) throw nothingRuns(dataDirectory);
  const { user, pass } = roleConnection(await loadCredentials(dataDirectory), 'operator');
  // What the operator says of the streams has to be what the stack was started with.
  const replicas = environment.LAKEHOUSE_REPLICAS ?? (record === undefined ? undefined : String(record.nodes));
  return {
    ...here,
    LAKEHOUSE_NATS_URL: url,
    LAKEHOUSE_NATS_USER: user,
    LAKEHOUSE_NATS_PASSWORD: pass,
    ...(replicas === undefined || replicas === '0' ? {} : { LAKEHOUSE_REPLICAS: replicas }),
  };
}

function hasCredentials(dataDirectory: string): Promise<boolean> {
  return access(join(dataDirectory, 'credentials.json')).then(
    () => true,
    () => false,
  );
}

/** Exit code 4: there is no log to speak to. */
export function nothingRuns(dataDirectory: string): CommandError {
  return new CommandError(exitCodes.unreachable, {
    happened: `nothing runs on the data directory "${dataDirectory}"`,
    means: 'There is no log to ask, or this is another data directory than the one that "up" was given.',
    remedy:
      'Start everything with "npm run up", name the directory with --data-dir, or set LAKEHOUSE_NATS_URL with LAKEHOUSE_NATS_USER and LAKEHOUSE_NATS_PASSWORD.',
  });
}

/** A connection to the log as the operator; exit code 4 where it can not be made. Drain it. */
export async function openLog(dataDirFlag: string | undefined): Promise<{
  readonly connection: LogConnection;
  readonly configuration: Configuration;
}> {
  const configuration = configurationOf(await operatorEnvironment(dataDirFlag));
  try {
    const connection = await connectLog({ ...configuration.nats, name: 'lakehouse-command', clock: systemClock });
    return { connection, configuration };
  } catch (error) {
    throw new CommandError(
      exitCodes.unreachable,
      {
        happened: `the log at ${configuration.nats.url} can not be reached: ${error instanceof Error ? error.message : error}`,
        means: 'nats-server is not running there, or the credentials are not those it was started with.',
        remedy: 'See "lakehouse status"; start everything with "npm run up".',
      },
      { cause: error },
    );
  }
}
