import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateServer } from '../../streams/server/locate.ts';
import { formatServerVersion } from '../../streams/server/version.ts';
import { projectDirectory } from '../bench/project.ts';
import { writeGolden } from './golden.ts';
import { liveSmallLife } from './life.ts';
import { goldenDirectory, ownVersion } from './versions.ts';

const usage = `Lives a small life with every event of the catalogue, and keeps what it wrote in scripts/upgrade/golden/<version>:
the streams, a snapshot of the indexes, the files of the logs, and what every later version has to read in them.

  npm run golden               for the version in package.json, which must not be there yet
  npm run golden -- VERSION    under another name, such as 0.1.0-2 where a format changed between two releases
`;
const [argument] = process.argv.slice(2);
if (argument?.startsWith('-') === true) {
  process.stderr.write(usage);
  process.exit(argument === '--help' ? 0 : 2);
}
const version = argument ?? ownVersion();
const directory = goldenDirectory(version);
if (existsSync(directory)) {
  process.stderr.write(
    `${directory} is there: what a version wrote is never written again. Raise the version, or name another one.\n`,
  );
  process.exit(2);
}
const dataDirectory = await mkdtemp(join(tmpdir(), 'lakehouse-golden-'));
try {
  await using stack = await liveSmallLife(dataDirectory);
  const { version: server } = await locateServer();
  const expected = await writeGolden(stack, { version, nats_server: formatServerVersion(server) }, directory);
  process.stdout.write(
    `${JSON.stringify({ directory: directory.slice(projectDirectory().length), ...expected }, null, 2)}\n`,
  );
} finally {
  await rm(dataDirectory, { recursive: true, force: true });
}
