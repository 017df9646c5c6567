import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeEvent } from '../../schemas/decode.ts';
import type { DocumentData, VectorData } from '../../schemas/events/document.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { createRandom } from '../../scripts/random.ts';
import { append, readNewest } from '../../streams/append.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { type ReactorHandlers, startReactor } from '../../streams/reactor.ts';
import { subjectOf } from '../../streams/subjects.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { type Chance, withFaults } from '../../streams/testing/faults.ts';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import { foldHistory, makeHistory } from '../documents/testing/history.ts';
import { joinVectorStates } from '../documents/vector-state.ts';
import { decideCorpus, decideEmbed, type EmbedPorts, type EmbedText } from './decide.ts';
import { EmbedderError } from './embedder.ts';
import { joinsFor } from './joins.ts';

const space = 'fake@2';
const seeds = [1, 2, 20_261_121];

/** The same text has the same vector, whoever embeds it and whenever. */
function fakeVector(text: string): Float32Array {
  const digest = createHash('sha256').update(text).digest();
  return Float32Array.of(1 + digest.readUInt8(0), digest.readUInt8(1));
}

interface Embeds {
  readonly texts: string[];
  /** Whether the next call fails as an embedder that is away. */
  readonly fails: () => boolean;
}

type Handler = ReactorHandlers<'embed'>['lakehouse.document'];

async function startEmbed(
  test: TestLog,
  embeds: Embeds,
  wrap: (handler: Handler, connection: LogConnection) => Handler = (handler) => handler,
) {
  const connection = await test.connectAs('embed');
  const embed: EmbedText = async (text) => {
    if (embeds.fails()) throw new EmbedderError({ kind: 'outage', message: 'injected: the embedder is away' });
    if (text.startsWith('unspeakable'))
      throw new EmbedderError({ kind: 'text_refused', message: 'the embedder refuses this text', textIndex: 0 });
    embeds.texts.push(text);
    return { vector: fakeVector(text), truncated: text.length > 12 };
  };
  const ports: EmbedPorts = {
    newestVector: async (wanted, corpus, id) => {
      const subject = subjectOf('lakehouse.vector', { space: wanted, corpus, key: id });
      return (await readNewest(connection, 'lakehouse.vector', subject))?.data;
    },
    embedderOf: (wanted) => (wanted === space ? embed : undefined),
    remembered: () => undefined,
    joins: await joinsFor(connection, 'embed'),
  };
  const handler: Handler = (event, context) => decideEmbed(event, context, ports);
  return startReactor({
    connection,
    worker: 'embed',
    log: test.log,
    delivery: { ackWaitMs: 100, concurrency: 8, retryFirstMs: 1, retryMaxMs: 20 },
    handlers: { 'lakehouse.document': wrap(handler, connection), 'lakehouse.corpus': decideCorpus },
  });
}

async function say(connection: LogConnection, documents: readonly DocumentData[], prefix: string): Promise<void> {
  for (const [at, document] of documents.entries()) {
    const tokens = { corpus: document.corpus, key: document.id };
    await append(connection, 'lakehouse.document', tokens, document, { messageId: `${prefix}:${at}`, source: 'test' });
  }
}

const allDone = (test: TestLog) =>
  eventually('every document is worked on', async () => {
    const info = await test.operator.manager.consumers.info('DOCUMENTS', 'embed');
    return info.num_pending + info.num_ack_pending === 0;
  });

/** What VECTORS comes to of each document in each space, as `space id`: the join of all states, in their order. */
async function newestVectors(test: TestLog): Promise<Map<string, VectorData>> {
  const newest = new Map<string, VectorData>();
  for (const { payload } of await test.readAll('VECTORS')) {
    const decoded = decodeEvent('VECTORS', payload);
    if (!decoded.ok) throw new Error(decoded.message);
    if (decoded.event.type !== 'lakehouse.vector') continue;
    const { data } = decoded.event;
    const key = `${data.space} ${data.id}`;
    newest.set(key, joinVectorStates(newest.get(key), data) ?? newest.get(key) ?? data);
  }
  return newest;
}

/** What VECTORS has to come to: the content in its space, and its absence in every space that it was ever in. */
function expectedVectors(documents: Iterable<DocumentData>): Map<string, VectorData> {
  const expected = new Map<string, VectorData>();
  for (const { corpus, id, content, metadata, former_spaces } of documents) {
    const put = (wanted: string, value: VectorData['content']['value']) =>
      expected.set(`${wanted} ${id}`, {
        corpus,
        id,
        space: wanted,
        content: { version: content.version, ...(content.after === undefined ? {} : { after: content.after }), value },
        metadata,
      });
    for (const former of former_spaces) put(former, null);
    if (content.value === null) continue;
    const { hash, text, vector, metadata: own } = content.value;
    const made = encodeVector(fakeVector(text ?? ''));
    const truncated = vector === null && (text ?? '').length > 12;
    put(content.value.space, {
      hash,
      text,
      vector: vector ?? made,
      truncated,
      ...(own === undefined ? {} : { metadata: own }),
    });
  }
  return expected;
}

function versionOf(payload: Uint8Array): number {
  const decoded = decodeEvent('VECTORS', payload);
  if (!decoded.ok || decoded.event.type !== 'lakehouse.vector') throw new Error('this is no vector');
  return decoded.event.data.content.version;
}

const sorted = (states: ReadonlyMap<string, VectorData>) =>
  [...states].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, state]) => state);

describe('the vectors are those of the documents', () => {
  const eventsMax = 60;

  /** The states that the documents went through, in order: each event's fold, where it changed something. */
  function states(seed: number): { passed: DocumentData[]; last: Map<string, DocumentData> } {
    const history = makeHistory(seed, eventsMax);
    const passed: DocumentData[] = [];
    let before = new Map<string, DocumentData>();
    for (let end = 1; end <= history.length; end++) {
      const after = foldHistory(history.slice(0, end));
      for (const [id, state] of after) if (JSON.stringify(state) !== JSON.stringify(before.get(id))) passed.push(state);
      before = after;
    }
    return { passed, last: before };
  }

  async function run(seed: number, wrap: (handler: Handler, connection: LogConnection, random: Chance) => Handler) {
    await using test = await startTestLog();
    const random = createRandom(seed, 2);
    const faulty = wrap !== noFaults;
    const embeds: Embeds = { texts: [], fails: () => faulty && random.unit() < 0.2 };
    const { passed, last } = states(seed);
    const wrapped = (handler: Handler, connection: LogConnection) => wrap(handler, connection, random.unit);
    const reactors = [await startEmbed(test, embeds, wrapped), await startEmbed(test, embeds, wrapped)];
    await say(await test.connectAs('ingest'), passed, `seed ${seed}`);
    await allDone(test);
    await Promise.all(reactors.map((reactor) => reactor.stop(5_000)));
    expect(sorted(await newestVectors(test))).toEqual(sorted(expectedVectors(last.values())));
    expect(await test.rejections()).toEqual([]);
    return test.logged.filter(({ message }) => message.includes('injected')).length;
  }

  const noFaults = (handler: Handler) => handler;

  it('without a fault (the control)', async () => {
    expect(await run(1, noFaults)).toBe(0);
  });

  it.each(seeds)('with two workers, redeliveries, an embedder that comes and goes: seed %i', async (seed) => {
    expect(await run(seed, withFaults)).toBeGreaterThan(5);
  });
});

describe('embedding', () => {
  const document = (
    id: string,
    version: number,
    text: string | null,
    more: Partial<DocumentData> = {},
  ): DocumentData => ({
    corpus: 'workers',
    id,
    content: {
      version,
      value: {
        hash: createHash('sha256').update(String(text)).digest('hex'),
        space,
        text,
        vector: text === null ? encodeVector(Float32Array.of(1, 2)) : null,
      },
    },
    metadata: { version, value: { version } },
    former_spaces: [],
    ...more,
  });

  it('costs nothing for a content whose vector is there, and for one that brings its own', async () => {
    await using test = await startTestLog();
    const embeds: Embeds = { texts: [], fails: () => false };
    const reactor = await startEmbed(test, embeds);
    const writer = await test.connectAs('ingest');
    await say(writer, [document('a', 1, 'welder'), document('b', 2, null)], 'first');
    await allDone(test);
    expect(embeds.texts).toEqual(['welder']);
    await say(writer, [document('a', 3, 'welder'), document('b', 4, null)], 'again');
    await allDone(test);
    expect(embeds.texts).toEqual(['welder']);
    // The control: another text does cost one.
    await say(writer, [document('a', 5, 'line lead')], 'other');
    await allDone(test);
    expect(embeds.texts).toEqual(['welder', 'line lead']);
    const newest = await newestVectors(test);
    expect(newest.get(`${space} a`)).toMatchObject({ content: { version: 5 }, metadata: { version: 5 } });
    expect(newest.get(`${space} b`)).toMatchObject({ content: { version: 4 }, metadata: { version: 4 } });
    await reactor.stop(1_000);
  });

  it('is joined with what is there for a consumer that begins anew, as far as DOCUMENTS goes then', async () => {
    await using test = await startTestLog();
    const connection = await test.connectAs('embed');
    const joined = async () => {
      const joins = await joinsFor(connection, 'embed');
      return [1, 2, 3].map(joins);
    };
    expect(await joined()).toEqual([false, false, false]);
    await say(await test.connectAs('ingest'), [document('a', 1, 'welder'), document('b', 2, null)], 'first');
    expect(await joined()).toEqual([true, true, false]);
    const reactor = await startEmbed(test, { texts: [], fails: () => false });
    await allDone(test);
    await reactor.stop(1_000);
    expect(await joined()).toEqual([false, false, false]);
    await test.operator.manager.consumers.delete('DOCUMENTS', 'embed');
    expect(await joined()).toEqual([true, true, false]);
  });

  it.each([
    ['that keeps everything, as it is: the folds join it', -1, [5, 4]],
    ['that keeps only the newest, never behind a newer one', 1, [5]],
  ])('appends a state to a stream %s', async (_, max_msgs_per_subject, versions) => {
    await using test = await startTestLog();
    const { config } = await test.operator.manager.streams.info('VECTORS');
    await test.operator.manager.streams.update('VECTORS', { ...config, max_msgs_per_subject });
    const writer = await test.connectAs('ingest');
    const reactor = await startEmbed(test, { texts: [], fails: () => false });
    await say(writer, [document('a', 5, 'welder')], 'newer');
    await allDone(test);
    await say(writer, [document('a', 4, 'baker')], 'older');
    await allDone(test);
    await reactor.stop(1_000);
    expect((await test.readAll('VECTORS')).map(({ payload }) => versionOf(payload))).toEqual(versions);
    expect((await newestVectors(test)).get(`${space} a`)).toMatchObject({ content: { version: 5 } });
  });

  it('sets aside a text that the embedder refuses, and a content of a space that it does not make', async () => {
    await using test = await startTestLog();
    const reactor = await startEmbed(test, { texts: [], fails: () => false });
    const elsewhere = document('b', 8, 'welder');
    if (elsewhere.content.value !== null) elsewhere.content.value.space = 'another@3';
    await say(
      await test.connectAs('ingest'),
      [document('a', 7, 'unspeakable'), elsewhere, document('c', 9, 'ok')],
      'x',
    );
    await allDone(test);
    const rejections = (await test.rejections()).sort((one, other) => one.sequence - other.sequence);
    expect(rejections.map(({ reason, version }) => [reason, version])).toEqual([
      ['text_refused', 7],
      ['space_mismatch', 8],
    ]);
    expect([...(await newestVectors(test)).keys()]).toEqual([`${space} c`]);
    await reactor.stop(1_000);
  });
});
