import { createHash } from 'node:crypto';
import type { DocumentData } from '../../../schemas/events/document.ts';
import type { Space } from '../../../schemas/space.ts';
import { below, chance, createRandom, pick, type Random } from '../../../scripts/random.ts';

/** Random histories of few documents, and the state that each comes to, worked out without the code under test. */

export const corpus = 'workers';
export const defaultSpace: Space = { model: 'fake', dimension: 2, prefixScheme: 'none' };
const defaultSpaceText = 'fake@2';
const ownSpaces = ['mine@2', 'other@3'] as const;
const ids = ['w-1', 'w-2', 'w 3/ä', 'w-4'] as const;
const texts = ['forklift operator', 'welder', 'line lead'] as const;

/** One item as a producer writes it. */
export interface Item {
  readonly id: string;
  readonly text?: string;
  readonly vector?: string;
  readonly space?: string;
  readonly metadata?: Record<string, unknown> | null;
  readonly deleted?: true;
  readonly weak_after?: number;
}

/** One event: a single item, or several that go together. */
export type Said = Item | { readonly items: readonly Item[] };

const itemsMax = 4;

export function makeHistory(seed: number, events: number): Said[] {
  const random = createRandom(seed);
  const history: Said[] = [];
  for (let at = 0; at < events; at++) {
    const earlier = history[below(random, Math.max(1, history.length))];
    if (earlier !== undefined && chance(random, 0.15)) history.push(earlier);
    else if (chance(random, 0.2))
      history.push({ items: Array.from({ length: 1 + below(random, itemsMax) }, () => makeItem(random, at)) });
    else history.push(makeItem(random, at));
  }
  return history;
}

/** @param before the sequence of the event before this one */
function makeItem(random: Random, before: number): Item {
  const id = pick(random, ids);
  const metadata = pick(random, [{ city: 'Aurora' }, { city: 'Joliet', shift: 2 }, {}]);
  const silent = pick(random, [{}, { metadata: null }]);
  const own = () => {
    const space = pick(random, ownSpaces);
    const values = Array.from({ length: space === 'mine@2' ? 2 : 3 }, () => 1 + below(random, 3));
    const vector = Buffer.from(Float32Array.from(values).buffer).toString('base64');
    return { vector, space, ...(chance(random, 0.5) ? { text: pick(random, texts) } : {}) };
  };
  // What it stands behind may be long ago or just now, and several may stand behind the same.
  const said = before - below(random, 1 + Math.min(before, 12));
  const weak_after = said - (said % 5);
  switch (below(random, 9)) {
    case 7:
      return { id, ...own(), ...pick(random, [{}, { metadata }]), weak_after };
    case 8:
      return { id, deleted: true, weak_after };
    case 0:
      return { id, deleted: true };
    case 1:
      return { id, metadata };
    case 2:
      return { id, ...own(), metadata };
    case 3:
      return { id, ...own(), ...silent };
    case 4:
      return { id, text: pick(random, texts), ...silent };
    default:
      return { id, text: pick(random, texts), metadata };
  }
}

type Content = DocumentData['content'];

interface Known {
  /** Everything that was said of the content, each event's last word. */
  readonly said: Content[];
  metadata: DocumentData['metadata'];
  readonly spaces: Set<string>;
}

/** The state of every document, by id, after a history whose events have the sequences 1, 2, 3, ... */
export function foldHistory(history: readonly Said[]): Map<string, DocumentData> {
  const known = new Map<string, Known>();
  for (const [at, said] of history.entries())
    for (const item of 'items' in said ? said.items : [said]) sayItem(known, item, at + 1);
  const states = new Map<string, DocumentData>();
  for (const [id, { said, metadata, spaces }] of known) {
    const content = [...said].sort(byPlace).at(-1) ?? { version: 0, value: null };
    const former = [...spaces].filter((space) => space !== content.value?.space).sort();
    states.set(id, { corpus, id, content, metadata, former_spaces: former });
  }
  return states;
}

/** As a line of what was said: weak words stand half a step behind theirs, and those said later further back in it. */
function byPlace(one: Content, other: Content): number {
  const placeOf = ({ version, after }: Content) => (after === undefined ? version : after + 0.5 - version / 1e9);
  return placeOf(one) - placeOf(other);
}

function sayItem(known: Map<string, Known>, item: Item, version: number): void {
  const silent = { version: 0, value: null };
  const state: Known = known.get(item.id) ?? { said: [], metadata: silent, spaces: new Set() };
  known.set(item.id, state);
  const { text = null, vector = null, weak_after: after } = item;
  const space = vector === null ? defaultSpaceText : (item.space ?? defaultSpaceText);
  state.spaces.add(space);
  const place = { version, ...(after === undefined ? {} : { after }) };
  if (item.deleted === true) say(state, { ...place, value: null });
  else if (text !== null || vector !== null) {
    const hash = createHash('sha256')
      .update(JSON.stringify([text, vector]))
      .digest('hex');
    const own = after === undefined ? {} : { metadata: item.metadata ?? null };
    say(state, { ...place, value: { hash, space, text, vector, ...own } });
  }
  if (after !== undefined) return;
  if (item.deleted === true) state.metadata = { version, value: null };
  else if (item.metadata != null) state.metadata = { version, value: item.metadata };
}

/** Of what one event says of a document the last counts, unless it is weak and stands behind what comes before it. */
function say({ said }: Known, content: Content): void {
  const before = said.at(-1);
  if (before?.version !== content.version) said.push(content);
  else if (content.after === undefined || byPlace(before, content) <= 0) said[said.length - 1] = content;
}
