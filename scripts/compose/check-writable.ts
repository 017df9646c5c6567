import { accessSync, constants } from 'node:fs';

/**
 * What the `volumes` container runs: mounting a new volume gave it to this image's user, which is the user of every
 * other container too. Exit code 1 names each folder that can not be written to.
 */
const folders = process.argv.slice(2);
const refused = folders.filter((folder) => {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch {
    return true;
  }
});
for (const folder of refused)
  process.stderr.write(
    `the volume at ${folder} belongs to somebody else than user ${process.getuid?.()}: nothing that needs it can start. ` +
      'Change its owner, or remove the volume if nothing in it is wanted.\n',
  );
process.exitCode = refused.length === 0 ? 0 : 1;
