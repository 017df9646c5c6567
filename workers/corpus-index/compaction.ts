import type { Generation } from './generation.ts';

/**
 * Moves the living documents into a fresh generation, a little at a time, while the old one goes on serving. What is
 * written meanwhile goes into both, so the new one is complete when the last slot was copied.
 */
export interface Compaction {
  readonly target: Generation;
  /** A document changed: what was copied of it is replaced. `vector` null where it died. */
  onWrite(slot: number, vector: ArrayLike<number> | null): void;
  /** Copies some more documents; false where all are copied. */
  copySome(slotCount: number): boolean;
}

/** Vectors copied in one go: some tens of microseconds. */
const copiedAtOnce = 64;

export function startCompaction(source: Generation, target: Generation): Compaction {
  let cursor = 0;
  return {
    target,
    onWrite: (slot, vector) => {
      if (slot >= cursor) return;
      if (vector === null) target.kill(slot);
      else target.place(slot, vector);
    },
    copySome: (slotCount) => {
      let copied = 0;
      while (cursor < slotCount && copied < copiedAtOnce) {
        const label = source.labelOf(cursor);
        if (label >= 0) {
          target.place(cursor, source.arena.view(label));
          copied++;
        }
        cursor++;
      }
      // A little at a time here, so that the first search after the switch does not make them all.
      if (source.graph === undefined) target.codes();
      return cursor < slotCount;
    },
  };
}
