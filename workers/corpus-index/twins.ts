/**
 * Groups of labels whose vectors are equal, byte for byte: equal texts have equal vectors. Only the first of a group, its
 * *representative*, is in the graph. With all of them in it, a group of more than a node's links (2 M) would link to
 * itself alone, and a search that enters it would never leave.
 */
export interface Twins {
  /** The label that stands for this one in the graph: itself or an equal one; -1 where it is not in the graph yet. */
  representativeOf(label: number): number;
  /** A label in the graph with these values. */
  find(vector: Float32Array): number | undefined;
  /** The label is in the graph. */
  addRepresentative(label: number, vector: Float32Array): void;
  /** The label is found through another. */
  addTwin(label: number, representative: number): void;
  /** A representative and its twins, dead ones included. */
  groupOf(representative: number): readonly number[];
  clear(): void;
}

/** @param viewOf the vector of a label */
export function createTwins(viewOf: (label: number) => Float32Array): Twins {
  // Of two different vectors with the same hash only the first is found again; the other has no twins then, no more.
  const byHash = new Map<number, number>();
  const groups = new Map<number, number[]>();
  let representatives: number[] = [];
  const note = (label: number, representative: number) => {
    while (representatives.length < label) representatives.push(-1);
    representatives[label] = representative;
  };
  return {
    representativeOf: (label) => representatives[label] ?? -1,
    find: (vector) => {
      const label = byHash.get(hashOf(vector));
      return label !== undefined && sameBytes(viewOf(label), vector) ? label : undefined;
    },
    addRepresentative: (label, vector) => {
      note(label, label);
      const hash = hashOf(vector);
      if (!byHash.has(hash)) byHash.set(hash, label);
    },
    addTwin: (label, representative) => {
      note(label, representative);
      const group = groups.get(representative);
      if (group === undefined) groups.set(representative, [representative, label]);
      else group.push(label);
    },
    groupOf: (representative) => groups.get(representative) ?? [representative],
    clear: () => {
      byHash.clear();
      groups.clear();
      representatives = [];
    },
  };
}

/** FNV-1a over the 32-bit words. */
function hashOf(vector: Float32Array): number {
  const words = new Int32Array(vector.buffer, vector.byteOffset, vector.length);
  let hash = 0x811c9dc5;
  for (let place = 0; place < words.length; place++) hash = Math.imul(hash ^ (words[place] ?? 0), 0x01000193);
  return hash;
}

/** By bytes: -0 is not 0 here, since digests are over logged bytes. */
export function sameBytes(one: Float32Array, other: Float32Array): boolean {
  if (one.length !== other.length) return false;
  const bytes = (vector: Float32Array) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return bytes(one).equals(bytes(other));
}
