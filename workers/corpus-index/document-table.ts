import { countingMetadata, type Metadata } from '../registers/registers.ts';

/**
 * What is known of each id besides its vector, in columns: a place (*slot*) per id, given at its first mention and kept for
 * the life of the index. A hundred thousand documents are a few arrays here, not a hundred thousand objects.
 */
export interface DocumentTable {
  /** Slots given so far. */
  readonly count: number;
  /** Documents that are alive. */
  readonly live: number;
  /** Changes whenever a document begins or ends to live, or its metadata changes. */
  readonly revision: number;
  /** The slots of the changes since a revision, in any order; undefined where there were too many to remember. */
  changedSince(revision: number): Iterable<number> | undefined;
  find(id: string): number | undefined;
  /** The slot of an id, a new and silent one where it is unknown. */
  add(id: string): number;
  id(slot: number): string;
  contentVersion(slot: number): number;
  /** Null where the document is not alive. */
  contentHash(slot: number): string | null;
  /** Whether only the beginning of its text was embedded. */
  truncated(slot: number): boolean;
  /** Whether any document is. */
  readonly anyTruncated: boolean;
  /** What makes the content weak; undefined where it was said plainly. */
  weakness(slot: number): Weakness | undefined;
  setContent(slot: number, version: number, hash: string | null, truncated?: boolean, weak?: Weakness): void;
  /** Of the metadata that counts: what was said of it, or what weak content brings along. */
  metadataVersion(slot: number): number;
  metadataJson(slot: number): string | null;
  /** What was said of the metadata, whether or not it counts. */
  spokenMetadata(slot: number): Metadata;
  setMetadata(slot: number, version: number, json: string | null): void;
}

/** So many changes are remembered by their slot. */
const changesKept = 1_024;

/** Of content that was put weakly: the sequence that it stands behind, and the metadata that it brings. */
export interface Weakness {
  readonly after: number;
  readonly json: string | null;
}

export function createDocumentTable(): DocumentTable {
  const slots = new Map<string, number>();
  const ids: string[] = [];
  const hashes: (string | null)[] = [];
  const json: (string | null)[] = [];
  const contentVersions: number[] = [];
  const metadataVersions: number[] = [];
  // Few are: a set costs less than a column.
  const truncated = new Set<number>();
  // Few documents are there weakly; most indexes have none.
  const weaknesses = new Map<number, Weakness>();
  let live = 0;
  let revision = 0;
  /** The slot of the change that made a revision, at the revision's place modulo the length. */
  const changed = new Int32Array(changesKept);
  const touch = (slot: number) => {
    revision++;
    changed[revision % changesKept] = slot;
  };
  const spokenMetadata = (slot: number): Metadata => ({
    version: metadataVersions[slot] ?? 0,
    json: json[slot] ?? null,
  });
  const metadata = (slot: number): Metadata => {
    const weak = weaknesses.get(slot);
    if (weak === undefined) return spokenMetadata(slot);
    const version = contentVersions[slot] ?? 0;
    const own = () => ({ version, json: weak.json });
    return countingMetadata({ version, after: weak.after }, spokenMetadata(slot), own);
  };

  return {
    get count() {
      return ids.length;
    },
    get live() {
      return live;
    },
    get revision() {
      return revision;
    },
    changedSince: (since) => {
      if (revision - since > changesKept) return undefined;
      const slots = new Set<number>();
      for (let at = since + 1; at <= revision; at++) slots.add(changed[at % changesKept] ?? 0);
      return slots;
    },
    find: (id) => slots.get(id),
    add: (id) => {
      const known = slots.get(id);
      if (known !== undefined) return known;
      const slot = ids.push(id) - 1;
      slots.set(id, slot);
      hashes.push(null);
      json.push(null);
      contentVersions.push(0);
      metadataVersions.push(0);
      return slot;
    },
    id: (slot) => ids[slot] ?? '',
    contentVersion: (slot) => contentVersions[slot] ?? 0,
    contentHash: (slot) => hashes[slot] ?? null,
    truncated: (slot) => truncated.has(slot),
    get anyTruncated() {
      return truncated.size > 0;
    },
    weakness: (slot) => weaknesses.get(slot),
    setContent: (slot, version, hash, isTruncated = false, weak = undefined) => {
      if (isTruncated) truncated.add(slot);
      else truncated.delete(slot);
      // The metadata that counts may change with it.
      if (weak !== undefined || weaknesses.has(slot)) touch(slot);
      if (weak === undefined) weaknesses.delete(slot);
      else weaknesses.set(slot, weak);
      const born = (hash === null ? 0 : 1) - ((hashes[slot] ?? null) === null ? 0 : 1);
      live += born;
      if (born !== 0) touch(slot);
      contentVersions[slot] = version;
      hashes[slot] = hash;
    },
    metadataVersion: (slot) => (weaknesses.size === 0 ? (metadataVersions[slot] ?? 0) : metadata(slot).version),
    metadataJson: (slot) => (weaknesses.size === 0 ? (json[slot] ?? null) : metadata(slot).json),
    spokenMetadata,
    setMetadata: (slot, version, value) => {
      metadataVersions[slot] = version;
      if (json[slot] !== value) touch(slot);
      json[slot] = value;
    },
  };
}
