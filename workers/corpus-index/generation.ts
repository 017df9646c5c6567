import { type Arena, createArena } from './arena.ts';
import { type Codes, createCodes } from './codes.ts';
import { createGraph, type Graph } from './graph.ts';
import { isScannable, scaled } from './metric.ts';
import type { Distance, IndexParameters } from './parameters.ts';
import { createTwins, type Twins } from './twins.ts';

/**
 * The vectors of an index between two compactions: an arena, and a graph over its labels below the watermark. A label is
 * written once: an update is a new label, and the old one is dead.
 */
export interface Generation {
  readonly arena: Arena;
  readonly graph: Graph | undefined;
  readonly twins: Twins;
  /**
   * Codes of all labels, made now where they are missing. None under euclidean distance, of many, or once a graph has
   * caught up.
   */
  codes(): Codes | undefined;
  /** Labels below are found by the graph (or were dead before their turn came); those from here on are scanned. */
  readonly watermark: number;
  /** Labels that no document has any more. */
  readonly dead: number;
  /** Labels whose norm float32 arithmetic can not be trusted with. */
  readonly unscannable: ReadonlySet<number>;
  /** The slot of a living label, else -1. */
  slotOf(label: number): number;
  /** The label of a slot, or -1. */
  labelOf(slot: number): number;
  /** Gives the slot a new label with this vector; its old one dies. False, and nothing done, where the arena is full. */
  place(slot: number, vector: ArrayLike<number>): boolean;
  /** Lets the slot's label die. */
  kill(slot: number): void;
  /** Whether labels wait to be inserted into the graph. */
  hasTail(): boolean;
  /** Inserts one label, opening the graph where there is none; false where none waits. */
  insertOne(): boolean;
  dropGraph(): void;
  dispose(): void;
}

export interface GenerationOptions {
  readonly dimension: number;
  readonly distance: Distance;
  readonly parameters: IndexParameters;
}

/** What a generation read from a snapshot begins with. */
export interface GenerationImage {
  readonly arena: Arena;
  /** Per label its slot, or -1. */
  readonly slots: Int32Array;
  readonly graph: GraphImage | undefined;
}

export interface GraphImage {
  readonly graph: Graph;
  readonly watermark: number;
  readonly twins: Twins;
}

/** More vectors than this are scanned themselves: codes of all of them would take memory that nobody counted on. */
const codedVectorsMax = 32_768;

export function createGeneration(options: GenerationOptions, image?: GenerationImage): Generation {
  const { dimension, distance, parameters } = options;
  const arena = image?.arena ?? createArena(dimension);
  const twins = image?.graph?.twins ?? createTwins(arena.view);
  const slots: number[] = [];
  const labels: number[] = [];
  const unscannable = new Set<number>();
  let graph: Graph | undefined;
  let codes: Codes | undefined;
  let watermark = 0;
  let dead = 0;

  const own = (slot: number, label: number) => {
    slots[label] = slot;
    // Filled up in order, so that the array stays dense.
    while (labels.length < slot) labels.push(-1);
    labels[slot] = label;
    if (!isScannable(arena.norm(label))) unscannable.add(label);
  };
  const slotOf = (label: number) => slots[label] ?? -1;
  const kill = (slot: number) => {
    const label = labels[slot] ?? -1;
    if (label < 0) return;
    slots[label] = -1;
    labels[slot] = -1;
    unscannable.delete(label);
    if (codes !== undefined && label < codes.count) codes.kill(label);
    dead++;
  };
  const codeAll = (): Codes | undefined => {
    if (distance === 'euclidean' || (graph !== undefined && codes === undefined)) return undefined;
    if (arena.count > codedVectorsMax) {
      codes = undefined;
      return undefined;
    }
    codes ??= createCodes(dimension, arena.count);
    for (let label = codes.count; label < arena.count; label++)
      codes.push(slotOf(label) < 0 ? undefined : arena.view(label), arena.norm(label));
    return codes;
  };
  const skipDead = () => {
    while (watermark < arena.count && slotOf(watermark) < 0) watermark++;
  };
  const insert = (label: number) => {
    const vector = arena.view(label);
    const twin = twins.find(vector);
    if (twin !== undefined) return twins.addTwin(label, twin);
    graph ??= createGraph(distance, dimension, parameters);
    // Normalised here in double, so that no norm overflows float32 inside hnswlib.
    graph.insert(label, scaled(vector, distance === 'cosine' ? 1 / arena.norm(label) : 1));
    twins.addRepresentative(label, vector);
  };
  const restore = ({ slots: restored, graph: restoredGraph }: GenerationImage) => {
    for (const [label, slot] of restored.entries()) {
      if (slot >= 0) own(slot, label);
      else {
        slots[label] = -1;
        dead++;
      }
    }
    graph = restoredGraph?.graph;
    watermark = restoredGraph?.watermark ?? 0;
  };
  if (image !== undefined) restore(image);

  return {
    arena,
    twins,
    get graph() {
      return graph;
    },
    codes: codeAll,
    get watermark() {
      return graph === undefined ? 0 : watermark;
    },
    get dead() {
      return dead;
    },
    unscannable,
    slotOf,
    labelOf: (slot) => labels[slot] ?? -1,
    place: (slot, vector) => {
      const label = arena.push(vector);
      if (label === undefined) return false;
      kill(slot);
      own(slot, label);
      return true;
    },
    kill,
    hasTail: () => {
      skipDead();
      return watermark < arena.count;
    },
    insertOne: () => {
      skipDead();
      if (watermark >= arena.count) return false;
      insert(watermark);
      watermark++;
      skipDead();
      if (watermark >= arena.count) codes = undefined;
      return true;
    },
    dropGraph: () => {
      graph?.dispose();
      graph = undefined;
      watermark = 0;
      twins.clear();
    },
    dispose: () => graph?.dispose(),
  };
}
