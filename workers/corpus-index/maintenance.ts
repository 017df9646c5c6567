import { type Compaction, startCompaction } from './compaction.ts';
import { createGeneration, type Generation, type GenerationOptions } from './generation.ts';

/**
 * Keeps the generation that serves, its graph's catching up and its compaction. All work is cut into units of at most one
 * insertion.
 */
export interface Maintenance {
  readonly serving: Generation;
  readonly compacting: boolean;
  /** Insertions into graphs done so far. */
  readonly insertions: number;
  /** The slot's document has this vector from now on (null: none). False where the arena is full. */
  write(slot: number, vector: ArrayLike<number> | null): boolean;
  /** Does one unit of work: the serving graph catches up first, then compaction goes on. Returns whether there was any. */
  work(counts: Counts): boolean;
  hasWork(): boolean;
  /** Leaves the graph that serves as it is, until what is returned is called. */
  freeze(): () => void;
}

export interface Counts {
  /** Living documents. */
  readonly live: number;
  readonly slots: number;
}

export function createMaintenance(options: GenerationOptions, loaded?: Generation): Maintenance {
  const { exactBelow, deadFractionMax, deadMin } = options.parameters;
  let serving = loaded ?? createGeneration(options);
  let compaction: Compaction | undefined;
  let insertions = 0;
  let freezes = 0;
  let keepsGraph = serving.graph !== undefined;

  /** With some play, so that a corpus about the limit does not build and drop its graph in turns. */
  const decideGraph = ({ live }: Counts) => {
    if (live >= exactBelow) keepsGraph = true;
    if (live >= exactBelow / 2 || !keepsGraph) return;
    keepsGraph = false;
    serving.dropGraph();
    compaction?.target.dropGraph();
  };
  const needsCompaction = () => serving.dead >= deadMin && serving.dead >= deadFractionMax * serving.arena.count;
  const insertInto = (generation: Generation): boolean => {
    if (!keepsGraph || !generation.insertOne()) return false;
    insertions++;
    return true;
  };
  const compactSome = (running: Compaction, slots: number): void => {
    if (insertInto(running.target) || running.copySome(slots)) return;
    if (keepsGraph && running.target.hasTail()) return;
    serving.dispose();
    serving = running.target;
    compaction = undefined;
  };

  return {
    get serving() {
      return serving;
    },
    get compacting() {
      return compaction !== undefined;
    },
    get insertions() {
      return insertions;
    },
    write: (slot, vector) => {
      if (vector === null) serving.kill(slot);
      else if (!serving.place(slot, vector)) return false;
      compaction?.onWrite(slot, vector);
      return true;
    },
    work: (counts) => {
      if (freezes > 0) return false;
      decideGraph(counts);
      if (insertInto(serving)) return true;
      if (compaction === undefined && needsCompaction())
        compaction = startCompaction(serving, createGeneration(options));
      if (compaction === undefined) return false;
      compactSome(compaction, counts.slots);
      return true;
    },
    hasWork: () =>
      freezes === 0 && (compaction !== undefined || (keepsGraph && serving.hasTail()) || needsCompaction()),
    freeze: () => {
      freezes++;
      let released = false;
      return () => {
        if (!released) freezes--;
        released = true;
      };
    },
  };
}
