import { createHash } from 'node:crypto';
import { z } from 'zod';
import { corpusSchema, sequenceSchema, sha256Schema } from '../../../schemas/primitives.ts';
import { spaceSchema } from '../../../schemas/space.ts';
import { type ObjectStore, objectKeyFault } from '../../../streams/object-store.ts';
import { SnapshotFault } from './frames.ts';

export const snapshotVersion = 1;
export const manifestName = 'manifest.json';
const manifestBytesMax = 16 * 1024 * 1024;

const bodySchema = z.strictObject({
  key: z.string(),
  kind: z.enum(['documents', 'playbooks']),
  corpus: corpusSchema,
  space: spaceSchema,
  distance: z.enum(['cosine', 'euclidean']),
  bytes: z.number().int().nonnegative(),
  sha256: sha256Schema,
  live: z.number().int().nonnegative(),
  tombstones: z.number().int().nonnegative(),
  /** The state digest of what the body holds. */
  digest: sha256Schema,
});
export type SnapshotBody = z.output<typeof bodySchema>;

const contentSchema = z.strictObject({
  format: z.literal('lakehouse.snapshot'),
  version: z.literal(snapshotVersion),
  created_at: z.string(),
  /** Per stream the sequence up to which it is folded in: a reader goes on behind. */
  checkpoint: z.record(z.string(), sequenceSchema),
  bodies: z.array(bodySchema),
  /** Per stream, which life of it was folded (see `StreamIdentity`); manifests of before have none. */
  log: z.record(z.string(), z.strictObject({ created_at: z.string(), stored_at: z.string().nullable() })).optional(),
});
export type SnapshotLog = NonNullable<z.output<typeof contentSchema>['log']>;
export type SnapshotManifest = z.output<typeof contentSchema>;

/** A manifest's JSON, with a checksum over what comes before it: one flipped digit of a checkpoint would lose events. */
export function encodeManifest(manifest: SnapshotManifest): string {
  return `${JSON.stringify({ ...manifest, checksum: checksumOf(manifest) }, null, 2)}\n`;
}

/** @throws SnapshotFault where it is not a manifest that this version can follow */
export function decodeManifest(text: string): SnapshotManifest {
  const parsed = parseObject(text);
  const { checksum, ...content } = parsed;
  if (typeof content.version === 'number' && content.version > snapshotVersion)
    throw new SnapshotFault(`the manifest is of version ${content.version}; this program reads ${snapshotVersion}`);
  if (checksum !== checksumOf(content)) throw new SnapshotFault('the checksum of the manifest is wrong');
  const manifest = contentSchema.safeParse(content);
  if (!manifest.success) throw new SnapshotFault(`the manifest is wrong: ${z.prettifyError(manifest.error)}`);
  return manifest.data;
}

/**
 * Reads the manifest at a key.
 * @throws SnapshotFault where there is no sound one
 */
export async function readManifest(store: ObjectStore, key: string): Promise<SnapshotManifest> {
  const fault = objectKeyFault(key);
  if (fault !== undefined) throw new SnapshotFault(fault);
  const body = await store.get(key);
  if (body === undefined) throw new SnapshotFault('there is no manifest');
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > manifestBytesMax) throw new SnapshotFault('the manifest is too long');
    pieces.push(piece);
  }
  const manifest = decodeManifest(Buffer.concat(pieces).toString('utf8'));
  // A manifest speaks of its own folder only, so that one that was moved does not bring in another's bodies.
  const strange = manifest.bodies.find((one) => folderOf(one.key) !== folderOf(key) || objectKeyFault(one.key));
  if (strange !== undefined) throw new SnapshotFault(`the manifest names a body elsewhere: ${strange.key}`);
  return manifest;
}

export function folderOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')));
}

function parseObject(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new SnapshotFault('the manifest is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) throw new SnapshotFault('the manifest is not a JSON object');
  return { ...parsed };
}

function checksumOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content), 'utf8').digest('hex');
}
