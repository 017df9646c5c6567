import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Configuration } from '../../schemas/configuration.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog, type LogConnection } from '../../streams/connection.ts';
import { loadCredentials, roleConnection } from '../../streams/server/credentials.ts';
import { ServerError } from '../../streams/server/errors.ts';
import { launchServer } from '../../streams/server/launch.ts';
import { serverLimits } from '../../streams/server/limits.ts';
import { locateServer } from '../../streams/server/locate.ts';
import { topologyBytes } from '../../streams/topology.ts';
import { dataDirectoryOf } from '../command/gateway.ts';
import { configurationOf, openLog } from '../command/log-access.ts';
import { alreadyRunning, serverFailure } from '../stack/failures.ts';
import { claimDataDir } from '../supervise/claim.ts';

/** A log to restore into, and what to do when that is done. */
export interface EmptyLog extends AsyncDisposable {
  readonly connection: LogConnection;
  readonly configuration: Configuration;
  readonly next: string;
}

/**
 * The server that the environment names; else a nats-server on the data directory, for as long as this lasts: the stack
 * itself makes its streams when it starts, and would no longer be empty.
 * @throws CommandError 4 where a stack runs on the data directory
 */
export async function openEmptyLog(dataDirFlag: string | undefined, note: (line: string) => void): Promise<EmptyLog> {
  if (process.env.LAKEHOUSE_NATS_URL !== undefined) {
    const { connection, configuration } = await openLog(dataDirFlag);
    const next = 'start the workers, then prove it with "lakehouse verify"';
    return { connection, configuration, next, [Symbol.asyncDispose]: () => connection.drain() };
  }
  const dataDirectory = resolve(dataDirectoryOf(dataDirFlag, process.env));
  const configuration = configurationOf({ ...process.env, LAKEHOUSE_DATA_DIR: dataDirectory });
  const outcome = await claimDataDir(dataDirectory, new Date());
  if (outcome.kind === 'already-running') throw alreadyRunning(dataDirectory, outcome.stack.pid);
  try {
    const binary = await locateServer({ report: note });
    const credentials = await loadCredentials(dataDirectory);
    const directory = join(dataDirectory, 'nats');
    await mkdir(directory, { recursive: true });
    const fileStoreBytesMax = Math.max(serverLimits.fileStoreBytesMax, topologyBytes(configuration.streamBytes));
    const server = await launchServer({ binary, directory, credentials, fileStoreBytesMax, endWithParent: true });
    const { user, pass: password } = roleConnection(credentials, 'operator');
    const connection = await connectLog({
      url: server.url,
      user,
      password,
      name: 'lakehouse-restore',
      clock: systemClock,
    });
    return {
      connection,
      configuration,
      next: `start it with "npm run up -- --data-dir ${dataDirectory}", then prove it with "lakehouse verify"`,
      [Symbol.asyncDispose]: async () => {
        await connection.drain();
        await server.stop();
        outcome.claim.release();
      },
    };
  } catch (error) {
    outcome.claim.release();
    throw error instanceof ServerError ? serverFailure(error) : error;
  }
}
