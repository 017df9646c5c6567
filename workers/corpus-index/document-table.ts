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
  find(id: string): number | undefined;
  /** The slot of an id, a new and silent one where it is unknown. */
  add(id: string): number;
  id(slot: number): string;
  contentVersion(slot: number): number;
  /** Null where the document is not alive. */
  contentHash(slot: number): string | null;
  /** Whether only the beginning of its text was embedded. */
  truncated(slot: number): boolean;
  setContent(slot: number, version: number, hash: string | null, truncated?: boolean): void;
  metadataVersion(slot: number): number;
  metadataJson(slot: number): string | null;
  setMetadata(slot: number, version: number, json: string | null): void;
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
  let live = 0;
  let revision = 0;
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
    setContent: (slot, version, hash, isTruncated = false) => {
      if (isTruncated) truncated.add(slot);
      else truncated.delete(slot);
      const born = (hash === null ? 0 : 1) - ((hashes[slot] ?? null) === null ? 0 : 1);
      live += born;
      if (born !== 0) revision++;
      contentVersions[slot] = version;
      hashes[slot] = hash;
    },
    metadataVersion: (slot) => metadataVersions[slot] ?? 0,
    metadataJson: (slot) => json[slot] ?? null,
    setMetadata: (slot, version, value) => {
      metadataVersions[slot] = version;
      if (json[slot] !== value) revision++;
      json[slot] = value;
    },
  };
}
