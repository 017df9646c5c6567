import { createHash } from 'node:crypto';
import type { DocumentContent, DocumentData } from '../../schemas/events/document.ts';
import type { DocumentChange } from '../../schemas/events/ingest.ts';
import { formatSpace, parseSpace, type Space } from '../../schemas/space.ts';
import { encodeVector, vectorFault, vectorFaultMessage } from '../../schemas/vector.ts';
import { countingMetadata, later, outranks } from '../registers/registers.ts';

/**
 * The state of a document as a fold of INGEST: two registers, content and metadata, each with the sequence that spoke
 * last. Joining is commutative, associative and idempotent, so order of arrival, repetition and parallel workers make no
 * difference to where it ends.
 */

/** Identity of a content: sha256 in hex over the JSON of `[text, vector]`, null where there is none. */
export function contentHash(text: string | undefined, vector: Float32Array | undefined): string {
  const identity = JSON.stringify([text ?? null, vector === undefined ? null : encodeVector(vector)]);
  return createHash('sha256').update(identity, 'utf8').digest('hex');
}

export interface StatedChange {
  readonly corpus: string;
  /** The INGEST sequence of the event that spoke: the version of whatever it says. */
  readonly sequence: number;
  /** The space of content that names none. */
  readonly defaultSpace: Space;
}

/** Why a change can not become a state, or the state that it alone says. */
export type SpokenState =
  | { readonly ok: true; readonly state: DocumentData }
  | { readonly ok: false; readonly message: string };

export function spokenState(change: DocumentChange, context: StatedChange): SpokenState {
  const { corpus, sequence, defaultSpace } = context;
  const silent = { version: 0, value: null };
  const { weak_after: after } = change;
  if (after !== undefined && after >= sequence)
    return {
      ok: false,
      message: `it was said at ${sequence} and can not stand behind ${after}, which is not before it`,
    };
  const speaksContent = change.deleted === true || change.text !== undefined || change.vector !== undefined;
  // Weak content brings its metadata along instead.
  const speaksMetadata = after === undefined && (change.deleted === true || change.metadata != null);
  const content = speaksContent && change.deleted !== true ? contentOf(change, defaultSpace) : null;
  if (content !== null && 'fault' in content) return { ok: false, message: content.fault };
  const state: DocumentData = {
    corpus,
    id: change.id,
    content: speaksContent ? { version: sequence, ...(after === undefined ? {} : { after }), value: content } : silent,
    metadata: speaksMetadata ? { version: sequence, value: change.metadata ?? null } : silent,
    // Somewhere a tombstone, and metadata that came first, have to be known: in the space where content would go.
    former_spaces: content === null ? [formatSpace(defaultSpace)] : [],
  };
  return { ok: true, state };
}

function contentOf(change: DocumentChange, defaultSpace: Space): DocumentContent | { fault: string } {
  const space = change.space === undefined ? defaultSpace : parseSpace(change.space);
  if (space === undefined) return { fault: `"${change.space}" is not a space` };
  if (change.vector !== undefined) {
    const fault = vectorFault(change.vector, space.dimension);
    if (fault !== undefined)
      return { fault: `${vectorFaultMessage(fault, change.vector, space.dimension)} (${formatSpace(space)})` };
  }
  return {
    hash: contentHash(change.text, change.vector),
    space: formatSpace(space),
    text: change.text ?? null,
    vector: change.vector === undefined ? null : encodeVector(change.vector),
    ...(change.weak_after === undefined ? {} : { metadata: change.metadata ?? null }),
  };
}

/**
 * Says one change after another within one event: the last that speaks of a register wins, though their versions are
 * equal. What is said weakly replaces nothing that is said plainly beside it.
 */
export function overrule(earlier: DocumentData, last: DocumentData): DocumentData {
  const yields = last.content.after !== undefined && outranks(earlier.content, last.content);
  const content = last.content.version > 0 && !yields ? last.content : earlier.content;
  return {
    ...earlier,
    content,
    metadata: last.metadata.version > 0 ? last.metadata : earlier.metadata,
    former_spaces: spacesBeside(content.value, earlier, last),
  };
}

/** Joins what is known of a document with what was spoken. Undefined where that adds nothing. */
export function joinStates(known: DocumentData | undefined, spoken: DocumentData): DocumentData | undefined {
  if (known === undefined) return spoken;
  const content = later(known.content, spoken.content);
  const metadata = later(known.metadata, spoken.metadata);
  const former = spacesBeside(content.value, known, spoken);
  const unchanged =
    content === known.content && metadata === known.metadata && former.length === known.former_spaces.length;
  return unchanged ? undefined : { ...known, content, metadata, former_spaces: former };
}

/** The metadata that counts: what was said of it, or what weak content brings along. */
export function effectiveMetadata({ content, metadata }: DocumentData): DocumentData['metadata'] {
  const own = () => ({ version: content.version, value: content.value?.metadata ?? null });
  return countingMetadata(content, metadata, own);
}

/**
 * What is left of a document behind a drop of its corpus: registers that stand before it fall silent. Undefined where
 * nothing is left.
 * @param floor the sequence of the drop; 0 where there was none
 */
export function withoutDropped(state: DocumentData, floor: number): DocumentData | undefined {
  if (floor === 0) return state;
  const silent = { version: 0, value: null };
  const content = outranks(state.content, { version: floor }) ? state.content : silent;
  const metadata = state.metadata.version > floor ? state.metadata : silent;
  if (content.version === 0 && metadata.version === 0) return undefined;
  return { ...state, content, metadata };
}

/** Every space that either state names, sorted, but for the one that the content is in now. */
function spacesBeside(content: DocumentContent | null, ...states: readonly DocumentData[]): string[] {
  const spaces = new Set(states.flatMap((state) => state.former_spaces));
  for (const { content: register } of states) if (register.value !== null) spaces.add(register.value.space);
  if (content !== null) spaces.delete(content.space);
  return [...spaces].sort();
}
