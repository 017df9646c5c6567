/** What a document says: `value` is null for a tombstone, and where nobody has spoken (`version` 0). */
export interface Content<Value> {
  readonly version: number;
  readonly value: Value | null;
}

/** What is said about a document: the JSON text of an object; `json` is null where there is none. */
export interface Metadata {
  readonly version: number;
  readonly json: string | null;
}

/**
 * A document: two last-writer-wins registers. A version is the sequence of the event that spoke last, so two registers of
 * one document with the same version hold the same.
 */
export interface Registers<Value> {
  readonly content: Content<Value>;
  readonly metadata: Metadata;
}

/** Registers of which nobody has spoken: the least of them all. */
export const silentRegisters: Registers<never> = {
  content: { version: 0, value: null },
  metadata: { version: 0, json: null },
};

/** The later of two states of one register; the first where they are equally late. */
export function later<Register extends { readonly version: number }>(one: Register, other: Register): Register {
  return other.version > one.version ? other : one;
}

/**
 * The join of two states of one document: in each register the higher version wins. Commutative, associative and
 * idempotent, so the order and the number of times that states arrive do not matter.
 */
export function merge<Value>(one: Registers<Value>, other: Registers<Value>): Registers<Value> {
  return { content: later(one.content, other.content), metadata: later(one.metadata, other.metadata) };
}

/** Whether `one` has nothing to learn from `other`. Only versions are looked at. */
export function dominates(one: Registers<unknown>, other: Registers<unknown>): boolean {
  return one.content.version >= other.content.version && one.metadata.version >= other.metadata.version;
}
