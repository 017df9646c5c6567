import { locateServer } from '../streams/server/locate.ts';
import { formatServerVersion } from '../streams/server/version.ts';

/** Finds nats-server or installs it where that is possible, as `lakehouse up` does: the tests run against a real one. */
try {
  const { path, version } = await locateServer({ report: (line) => process.stderr.write(`${line}\n`) });
  process.stdout.write(`nats-server ${formatServerVersion(version)} at ${path}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
