import { createHash } from 'node:crypto';
import { z } from 'zod';
import { streamNames } from '../../schemas/catalog.ts';
import type { ObjectStore } from '../object-store.ts';

export const backupVersion = 1;
const manifestBytesMax = 256 * 1024 * 1024;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();

/** A piece of a file of a stream's store: its content has this hash, and its object is named after it. */
const chunkSchema = z.strictObject({ sha256, bytes: count });
export type BackupChunk = z.output<typeof chunkSchema>;

const fileSchema = z.strictObject({ name: z.string().min(1), bytes: count, chunks: z.array(chunkSchema) });
export type BackupFile = z.output<typeof fileSchema>;

const streamSchema = z.strictObject({
  stream: z.enum(streamNames),
  created_at: z.string(),
  first_sequence: count,
  last_sequence: count,
  messages: count,
  bytes: count,
  /** As the server had it. */
  config: z.looseObject({ name: z.string() }),
  files: z.array(fileSchema),
});
export type BackupStream = z.output<typeof streamSchema>;

const contentSchema = z.strictObject({
  format: z.literal('lakehouse.backup'),
  version: z.literal(backupVersion),
  created_at: z.string(),
  server_version: z.string(),
  streams: z.array(streamSchema),
});
export type BackupManifest = z.output<typeof contentSchema>;

/** A backup can not be read, written or used. The message tells what happened and what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/** Where the parts of a backup lie: `backups/<name>/...`. */
export function backupKeys(name: string) {
  const folder = `backups/${name}`;
  return {
    manifests: `${folder}/manifests/`,
    /** Times sort as they passed. */
    manifest: (createdAt: string) => `${folder}/manifests/${createdAt.replace(/[:.]/g, '-')}.json`,
    /** Streams of a backup that is under way, so that one which broke off is taken up where it was. */
    unfinished: `${folder}/unfinished/`,
    unfinishedStream: (stream: string) => `${folder}/unfinished/${stream}.json`,
    chunks: `${folder}/chunks/`,
    chunk: (hash: string) => `${folder}/chunks/${hash.slice(0, 2)}/${hash}.gz`,
  };
}

/** The JSON of a manifest with a checksum over all the rest. */
export function encodeManifest(manifest: BackupManifest): string {
  return `${JSON.stringify({ ...manifest, checksum: checksumOf(manifest) })}\n`;
}

/** @throws BackupError where it is no manifest that this version can follow */
export function decodeManifest(text: string): BackupManifest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new BackupError('it is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) throw new BackupError('it is not a JSON object');
  const { checksum, ...content } = parsed as Record<string, unknown>;
  if (typeof content.version === 'number' && content.version > backupVersion)
    throw new BackupError(`it is of version ${content.version}, and this program reads ${backupVersion}`);
  if (checksum !== checksumOf(content)) throw new BackupError('its checksum is wrong');
  const manifest = contentSchema.safeParse(content);
  if (!manifest.success) throw new BackupError(z.prettifyError(manifest.error));
  return manifest.data;
}

function checksumOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content), 'utf8').digest('hex');
}

/** Reads a manifest; undefined where there is none. Throws `BackupError` where it is damaged. */
export async function readManifest(store: ObjectStore, key: string): Promise<BackupManifest | undefined> {
  const body = await store.get(key);
  if (body === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > manifestBytesMax) throw new BackupError(`${key} is too long for a manifest`);
    pieces.push(piece);
  }
  try {
    return decodeManifest(Buffer.concat(pieces).toString('utf8'));
  } catch (error) {
    if (error instanceof BackupError) throw new BackupError(`the manifest ${key} can not be used: ${error.message}`);
    throw error;
  }
}

/** Writes a manifest, and reads it back. */
export async function writeManifest(store: ObjectStore, key: string, manifest: BackupManifest): Promise<void> {
  await putChecked(store, key, Buffer.from(encodeManifest(manifest), 'utf8'));
}

/** Puts an object and reads it back: what a store says it keeps is not always what it keeps. */
export async function putChecked(store: ObjectStore, key: string, body: Uint8Array): Promise<void> {
  const expected = createHash('sha256').update(body).digest('hex');
  await store.put(key, [body]);
  const found = await store.readBack(key);
  if (found?.bytes !== body.byteLength || found.sha256 !== expected)
    throw new BackupError(`${key} is not what was written when it is read back; run the backup again`);
}

/** The backups that are whole, oldest first, by their manifests' keys. */
export async function listManifests(store: ObjectStore, name: string): Promise<string[]> {
  return (await store.list(backupKeys(name).manifests)).map(({ key }) => key);
}
