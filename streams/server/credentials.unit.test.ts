import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCredentials, loadCredentials, roleConnection } from './credentials.ts';
import { roleNames } from './roles.ts';

let dataDir = '';
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'lakehouse-credentials-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

describe('loadCredentials', () => {
  it('makes a password for each role, all different, and keeps them in a file of its owner', async () => {
    const credentials = await loadCredentials(dataDir);
    const passwords = Object.values(credentials.passwords);
    expect(Object.keys(credentials.passwords).sort()).toEqual([...roleNames].sort());
    expect(new Set([...passwords, credentials.clusterPassword]).size).toBe(roleNames.length + 1);
    expect((await stat(join(dataDir, 'credentials.json'))).mode & 0o777).toBe(0o600);
    expect(await loadCredentials(dataDir)).toEqual(credentials);
  });

  it('agrees with itself when called many times at once, and leaves no other file', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => loadCredentials(dataDir)));
    expect(new Set(all.map((credentials) => JSON.stringify(credentials))).size).toBe(1);
    expect(await readdir(dataDir)).toEqual(['credentials.json']);
  });

  it('adds a role that the file lacks and keeps the others', async () => {
    const before = await loadCredentials(dataDir);
    const path = join(dataDir, 'credentials.json');
    const stored = JSON.parse(await readFile(path, 'utf8'));
    delete stored.passwords.index;
    await writeFile(path, JSON.stringify(stored));
    const after = await loadCredentials(dataDir);
    expect(after.passwords.index).toMatch(/^[\w-]{43}$/);
    expect(after.passwords.index).not.toBe(before.passwords.index);
    expect({ ...after.passwords, index: '' }).toEqual({ ...before.passwords, index: '' });
    expect(await loadCredentials(dataDir)).toEqual(after);
  });

  it('closes a file that others could read', async () => {
    await loadCredentials(dataDir);
    await chmod(join(dataDir, 'credentials.json'), 0o644);
    await loadCredentials(dataDir);
    expect((await stat(join(dataDir, 'credentials.json'))).mode & 0o777).toBe(0o600);
  });

  it('refuses a damaged file without quoting it', async () => {
    await writeFile(join(dataDir, 'credentials.json'), '{"passwords":{"operator":"secret-word"');
    const error = await loadCredentials(dataDir).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'credentials-unreadable' });
    expect(String(error)).not.toContain('secret-word');
  });
});

describe('roleConnection', () => {
  it('gives a role its own password and inbox', () => {
    const credentials = createCredentials();
    expect(roleConnection(credentials, 'gateway')).toEqual({
      user: 'gateway',
      pass: credentials.passwords.gateway,
      inboxPrefix: '_INBOX_gateway',
    });
  });
});
