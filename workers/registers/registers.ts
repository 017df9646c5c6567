/**
 * Where in the order of what was said something stands. Said plainly it stands at its `version`, the sequence that spoke.
 * Said weakly it stands right behind the sequence `after`, however much later it was said.
 */
export interface Spoken {
  readonly version: number;
  readonly after?: number | undefined;
}

/** What a document says: `value` is null for a tombstone, and where nobody has spoken (`version` 0). */
export interface Content<Value> extends Spoken {
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

/**
 * Whether one stands behind the other, strictly. A total order: by place, at one place what is said weakly behind what is
 * said plainly, and of two that are said weakly the one said first on top, so that it is not replaced.
 */
export function outranks(one: Spoken, other: Spoken): boolean {
  const [place, otherPlace] = [one.after ?? one.version, other.after ?? other.version];
  if (place !== otherPlace) return place > otherPlace;
  if (one.after === undefined) return false;
  return other.after === undefined || one.version < other.version;
}

/** The order of `outranks` as one number: a sequence, or for what is said weakly a little more than the one it is behind. */
export function placeOf({ version, after }: Spoken): number {
  return after === undefined ? version : after + 0.5 + 0.25 / (version - after);
}

/** The state of one register that stands on top; the first where both stand in the same place. */
export function later<Register extends Spoken>(one: Register, other: Register): Register {
  return outranks(other, one) ? other : one;
}

/**
 * The join of two states of one document: in each register what stands on top wins. Commutative, associative and
 * idempotent, so the order and the number of times that states arrive do not matter.
 */
export function merge<Value>(one: Registers<Value>, other: Registers<Value>): Registers<Value> {
  return { content: later(one.content, other.content), metadata: later(one.metadata, other.metadata) };
}

/** Whether `one` has nothing to learn from `other`. Only versions are looked at. */
export function dominates(one: Registers<unknown>, other: Registers<unknown>): boolean {
  return !outranks(other.content, one.content) && !outranks(other.metadata, one.metadata);
}

/**
 * The metadata that counts. Weak content brings its own, which counts where nothing was said of the metadata behind the
 * place of that content.
 * @param own the metadata that the content brings, where it is weak
 */
export function countingMetadata<Register extends { readonly version: number }>(
  content: Spoken,
  spoken: Register,
  own: () => Register,
): Register {
  return content.after === undefined || spoken.version > content.after ? spoken : own();
}
