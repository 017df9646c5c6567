import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CorpusChange, CorpusState } from '../../schemas/events/corpus.ts';
import type { DocumentData, VectorData } from '../../schemas/events/document.ts';
import { ingestDataSchema } from '../../schemas/events/ingest.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { below, chance, createRandom, pick, type Random } from '../../scripts/random.ts';
import { declarationOf, joinCorpusStates, spokenCorpus } from '../documents/corpus-state.ts';
import { joinStates, overrule, spokenState } from '../documents/document-state.ts';
import { corpus, defaultSpace, foldHistory, makeHistory, type Said } from '../documents/testing/history.ts';
import { createIndexCatalogue, type IndexCatalogue } from './catalogue.ts';
import { isEmpty, metadataJson, vectorHandlers } from './fold.ts';
import { digestOfIndex } from './index-digest.ts';

type Step = { readonly said: Said } | { readonly change: CorpusChange };

const runs = 60;
const steps = 60;
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const context = { sequence: 0, subject: '', storedAtMs: 0, payload: new Uint8Array(), traceId: undefined };

/**
 * A history of documents, with declarations and drops of their corpus in between. Towards its end most is said weakly, so
 * that it is not all outranked, and much of it stands in the same places.
 */
function makeSteps(random: Random, seed: number): Step[] {
  const weakFrom = Math.floor(steps * 0.6);
  return makeHistory(seed, steps).map((said, place): Step => {
    if (!chance(random, place < weakFrom ? 0.12 : 0.03))
      return { said: place < weakFrom ? said : weakly(said, pick(random, [weakFrom - 1, weakFrom, place])) };
    if (chance(random, 0.5)) return { change: { dropped: true } };
    const distance = pick(random, ['cosine', 'euclidean'] as const);
    return { change: { declared: { space: 'mine@2', distance, m: pick(random, [null, 8]), ef_search: null } } };
  });
}

function weakly(said: Said, weak_after: number): Said {
  if ('items' in said || (said.deleted !== true && said.text === undefined && said.vector === undefined)) return said;
  return { ...said, weak_after };
}

/** What one event says of each document, as the ingest worker reads it. */
function spokenBy(said: Said, sequence: number): DocumentData[] {
  const states = new Map<string, DocumentData>();
  for (const change of ingestDataSchema.parse(said).items) {
    const spoken = spokenState(change, { corpus, sequence, defaultSpace });
    if (!spoken.ok) throw new Error(spoken.message);
    const earlier = states.get(change.id);
    states.set(change.id, earlier === undefined ? spoken.state : overrule(earlier, spoken.state));
  }
  return [...states.values()];
}

/** As the embed worker does: the content in its space, and its absence in the others. */
function vectorsOf({ id, content, metadata, former_spaces }: DocumentData): VectorData[] {
  const inSpace = (space: string, value: VectorData['content']['value']): VectorData => {
    const { version, after } = content;
    return { corpus, id, space, content: { version, ...(after === undefined ? {} : { after }), value }, metadata };
  };
  const absent = former_spaces.map((space) => inSpace(space, null));
  if (content.value === null) return absent;
  const { hash, space, text, vector, metadata: own } = content.value;
  const made = encodeVector(Float32Array.of(1 + createHash('sha256').update(`${text}`).digest().readUInt8(0), 1));
  const value = {
    hash,
    text,
    vector: vector ?? made,
    truncated: false,
    ...(own === undefined ? {} : { metadata: own }),
  };
  return [...absent, inSpace(space, value)];
}

/** Lets the steps arrive in an order, through both workers, into indexes; some of what comes out comes twice. */
function arrive(all: readonly Step[], order: readonly number[], random: Random): IndexCatalogue {
  const catalogue = createIndexCatalogue('');
  const handlers = vectorHandlers({ catalogue, log, withoutGraph: true });
  const documents = new Map<string, DocumentData>();
  let state: CorpusState | undefined;
  const sent: (() => void)[] = [];
  const send = (deliver: () => void) => {
    deliver();
    sent.push(deliver);
    if (chance(random, 0.3)) pick(random, sent)();
  };
  for (const place of order) {
    const step = all[place];
    if (step === undefined) continue;
    if ('change' in step) {
      const joined = joinCorpusStates(state, spokenCorpus(step.change, corpus, place + 1));
      if (joined === undefined) continue;
      state = joined;
      send(
        () =>
          void handlers['lakehouse.vector-corpus'](
            { type: 'lakehouse.vector-corpus', traceId: undefined, traceparent: undefined, data: joined },
            context,
          ),
      );
      continue;
    }
    for (const spoken of spokenBy(step.said, place + 1)) {
      const joined = joinStates(documents.get(spoken.id), spoken);
      if (joined === undefined) continue;
      documents.set(spoken.id, joined);
      for (const data of vectorsOf(joined))
        send(
          () =>
            void handlers['lakehouse.vector'](
              { type: 'lakehouse.vector', traceId: undefined, traceparent: undefined, data },
              context,
            ),
        );
    }
  }
  return catalogue;
}

async function digestsOf(catalogue: IndexCatalogue): Promise<string[]> {
  const digests: string[] = [];
  for (const entry of catalogue.all())
    if (!isEmpty(entry.index)) digests.push(`${entry.space} ${entry.index.distance} ${await digestOfIndex(entry)}`);
  return digests.sort();
}

/** The living documents as the steps say it, in their order, each once: worked out without indexes. */
function expectedAlive(all: readonly Step[]): Map<string, string> {
  const floor = all.findLastIndex((step) => 'change' in step && 'dropped' in step.change) + 1;
  // What is no document keeps its place: versions are places in the history.
  const history = all.map((step): Said => ('said' in step ? step.said : { items: [] }));
  const alive = new Map<string, string>();
  for (const [id, state] of foldHistory(history)) {
    const { version, after, value } = state.content;
    if (value === null || (after === undefined ? version <= floor : after < floor)) continue;
    const silent = { version: 0, value: null };
    const spoken = state.metadata.version > floor ? state.metadata : silent;
    const brings = after !== undefined && spoken.version <= after;
    const metadata = brings ? { version, value: value.metadata ?? null } : spoken;
    const json = metadata.value === null ? null : metadataJson(metadata.value);
    alive.set(id, JSON.stringify([value.space, version, value.hash, metadata.version, json]));
  }
  return alive;
}

function foundAlive(catalogue: IndexCatalogue): Map<string, string> {
  const alive = new Map<string, string>();
  for (const { space, index } of catalogue.all())
    for (const id of index.ids()) {
      const known = index.lookup(id);
      const told = [space, known?.content.version, known?.content.hash, known?.metadata.version, known?.metadata.json];
      expect(alive.has(id), `${id} lives in one space`).toBe(false);
      alive.set(id, JSON.stringify(told));
    }
  return alive;
}

const sorted = (map: ReadonlyMap<string, string>) => [...map].sort(([one], [other]) => (one < other ? -1 : 1));

describe('documents, declarations, drops and merges', () => {
  it('come to the same whatever order they arrive in, and however often', async () => {
    let dropped = 0;
    let weak = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const random = createRandom(seed, 7);
      const all = makeSteps(random, seed);
      const inOrder = all.map((_, place) => place);
      const reference = arrive(all, inOrder, createRandom(seed, 8));
      expect(sorted(foundAlive(reference)), `seed ${seed}`).toEqual(sorted(expectedAlive(all)));
      for (let time = 0; time < 4; time++) {
        const shuffled = [...inOrder];
        for (let at = shuffled.length - 1; at > 0; at--) {
          const other = below(random, at + 1);
          [shuffled[at], shuffled[other]] = [shuffled[other] ?? 0, shuffled[at] ?? 0];
        }
        const catalogue = arrive(all, shuffled, random);
        expect(await digestsOf(catalogue), `seed ${seed}`).toEqual(await digestsOf(reference));
        expect(declarationOf(catalogue.corpusState(corpus))).toEqual(declarationOf(reference.corpusState(corpus)));
      }
      dropped += all.filter((step) => 'change' in step && 'dropped' in step.change).length;
      for (const { index } of reference.all())
        for (const id of index.ids()) if (index.lookup(id)?.content.after !== undefined) weak++;
    }
    // They did happen.
    expect(dropped).toBeGreaterThan(runs);
    expect(weak).toBeGreaterThan(runs);
  });

  it('rebuilds the index in the distance and with the parameters that are declared, whichever comes first', () => {
    const put: Step = { said: { id: 'a', vector: encodeVector(Float32Array.of(3, 4)), space: 'mine@2' } };
    const declared: Step = { change: { declared: { space: 'mine@2', distance: 'euclidean', m: 8, ef_search: 33 } } };
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const catalogue = arrive([put, declared], order, createRandom(1));
      const index = catalogue.serving(corpus, null)?.index;
      expect(index?.distance).toBe('euclidean');
      expect(index?.parameters).toMatchObject({ m: 8, ef: 33 });
      expect(index?.search([0, 0], 1)).toMatchObject([{ id: 'a', distance: 5 }]);
    }
  });

  it('leave nothing of an index where a corpus was dropped, and an empty one that answers where it was declared again', () => {
    const put: Step = { said: { id: 'a', text: 'welder' } };
    const drop: Step = { change: { dropped: true } };
    const declare: Step = { change: { declared: { space: 'mine@2', distance: 'cosine', m: null, ef_search: null } } };
    const random = createRandom(1);
    expect([...arrive([put, drop], [0, 1], random).all()]).toEqual([]);
    expect([...arrive([put, drop], [1, 0], random).all()]).toEqual([]);
    const again = arrive([put, drop, declare], [0, 1, 2], random).serving(corpus, null);
    expect(again).toMatchObject({ space: 'mine@2', index: { size: 0 } });
    expect(again?.index.search([1, 0], 3)).toEqual([]);
  });
});
