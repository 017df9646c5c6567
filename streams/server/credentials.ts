import { randomBytes as systemRandomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ServerError } from './errors.ts';
import { serverLimits } from './limits.ts';
import { inboxPrefix, type RoleName, roleNames } from './roles.ts';

const credentialsSchema = z.object({
  schema: z.literal('lakehouse.credentials.v1'),
  /** Names this installation's server, so that a probe can tell it from another that took its port. */
  installation: z.string().regex(/^[0-9a-f]{16}$/),
  /** What the servers of one cluster tell each other. */
  clusterPassword: z.string().min(1),
  passwords: z.partialRecord(z.enum(roleNames), z.string().min(1)),
});

/** The secrets of one installation: a password for each role. Never to be logged or put into a report. */
export interface ServerCredentials {
  readonly installation: string;
  readonly clusterPassword: string;
  readonly passwords: Readonly<Record<RoleName, string>>;
}

/** What a process needs to connect as one role; the field names are those of the client's options. */
export interface RoleConnection {
  readonly user: string;
  readonly pass: string;
  readonly inboxPrefix: string;
}

export type RandomBytes = (count: number) => Buffer;

/** Credentials never used before. */
export function createCredentials(randomBytes: RandomBytes = systemRandomBytes): ServerCredentials {
  const password = () => randomBytes(serverLimits.passwordBytes).toString('base64url');
  const passwords = Object.fromEntries(roleNames.map((role) => [role, password()])) as Record<RoleName, string>;
  return { installation: randomBytes(8).toString('hex'), clusterPassword: password(), passwords };
}

/**
 * The installation's credentials from `<dataDir>/credentials.json` (mode 0600), created at the first call and the same
 * ever after, also when several processes call at once. Roles that the file does not know yet are added.
 *
 * @throws ServerError `credentials-unreadable` when the file is there but is not what this wrote.
 */
export async function loadCredentials(
  dataDir: string,
  randomBytes: RandomBytes = systemRandomBytes,
): Promise<ServerCredentials> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, 'credentials.json');
  const existing = await readCredentials(path);
  if (existing === undefined) {
    await writeOnce(path, createCredentials(randomBytes), randomBytes);
    const written = await readCredentials(path);
    if (written === undefined) throw unreadable(path, 'it vanished while it was being written');
    return complete(written, randomBytes).credentials;
  }
  await chmod(path, 0o600);
  const { credentials, added } = complete(existing, randomBytes);
  if (added) {
    const temporary = await writeAside(path, credentials, randomBytes);
    await rename(temporary, path);
  }
  return credentials;
}

/** User, password and inbox prefix for connecting as `role`. */
export function roleConnection(credentials: ServerCredentials, role: RoleName): RoleConnection {
  return { user: role, pass: credentials.passwords[role], inboxPrefix: inboxPrefix(role) };
}

type StoredCredentials = z.infer<typeof credentialsSchema>;

async function readCredentials(path: string): Promise<StoredCredentials | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unreadable(path, (error as Error).message);
  }
  try {
    return credentialsSchema.parse(JSON.parse(text));
  } catch {
    // What the parser says may quote the file, so it is not passed on.
    throw unreadable(path, 'it is not valid');
  }
}

function complete(stored: StoredCredentials, randomBytes: RandomBytes) {
  const fresh = createCredentials(randomBytes).passwords;
  const passwords: Record<RoleName, string> = { ...fresh, ...stored.passwords };
  const added = roleNames.some((role) => stored.passwords[role] === undefined);
  const { installation, clusterPassword } = stored;
  return { credentials: { installation, clusterPassword, passwords }, added };
}

async function writeAside(path: string, credentials: ServerCredentials, randomBytes: RandomBytes): Promise<string> {
  const temporary = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const stored: StoredCredentials = { schema: 'lakehouse.credentials.v1', ...credentials };
  await writeFile(temporary, `${JSON.stringify(stored, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return temporary;
}

/** A link appears whole or not at all and never replaces another's: the first writer wins. */
async function writeOnce(path: string, credentials: ServerCredentials, randomBytes: RandomBytes): Promise<void> {
  const temporary = await writeAside(path, credentials, randomBytes);
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

function unreadable(path: string, why: string): ServerError {
  return new ServerError(
    'credentials-unreadable',
    `The credentials in ${path} cannot be used: ${why}. Nothing can connect without them. Restore the file, or delete ` +
      'it while nothing runs: new passwords are made at the next start, and the streams are kept.',
  );
}
