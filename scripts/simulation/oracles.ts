import { isDeepStrictEqual } from 'node:util';
import type { StreamName } from '../../schemas/catalog.ts';
import { decodeEvent, type EventOf } from '../../schemas/decode.ts';
import type { DocumentData } from '../../schemas/events/document.ts';
import { decodeVector } from '../../schemas/vector.ts';
import type { FoldContext } from '../../streams/projector.ts';
import type { SimulatedLog, SimulatedMessage } from '../../streams/simulation/simulated-log.ts';
import { createIndexCatalogue, type IndexCatalogue } from '../../workers/corpus-index/catalogue.ts';
import { isEmpty, metadataJson, playbookHandlers, vectorHandlers } from '../../workers/corpus-index/fold.ts';
import { digestOfIndex } from '../../workers/corpus-index/index-digest.ts';
import { foldHistory, type Said } from '../../workers/documents/testing/history.ts';
import { fakeVector } from './fake-vectors.ts';
import type { Plan } from './plan.ts';
import { besideSpaceText, configuredSpaceText } from './processes.ts';
import type { Member } from './world.ts';

/** What somebody was told is in the log. */
export interface Acknowledged {
  readonly stream: 'INGEST' | 'PLAYBOOKS';
  readonly messageId: string | undefined;
  readonly sequence: number;
}

export interface PrefixOracle {
  /** H and P: whoever has caught up has the digests of a clean fold of what it says that it has read. */
  look(members: readonly Folding[], failures: string[]): Promise<void>;
  readonly digestsAt: (position: Readonly<Record<string, number>>) => Promise<ReadonlyMap<string, string>>;
}

/** What lies in a log, a server's or one in memory. */
export type LogView = Pick<SimulatedLog, 'stream' | 'message'>;
type Folding = Pick<Member, 'name' | 'process'>;

export interface EndOfRun {
  readonly log: LogView;
  readonly members: readonly Folding[];
  readonly acknowledged: readonly Acknowledged[];
  readonly plan: Plan;
  readonly prefixes: PrefixOracle;
}

/** Everything that has to hold when all work is done. */
export async function checkEnd(end: EndOfRun): Promise<string[]> {
  const failures: string[] = [];
  await end.prefixes.look(end.members, failures);
  failures.push(...lost(end), ...wrongRejections(end), ...wentBack(end));
  const expected = expectedDocuments(end);
  failures.push(...wrongDocuments(end.log, expected.all));
  for (const { name, process } of end.members)
    if (process?.index !== undefined)
      failures.push(
        ...wrongIndex(name, process.index.catalogue, expected.left, end.plan),
        ...wrongPlaybooks(name, process.index.catalogue, end.log),
      );
  return failures;
}

const silentLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Folds VECTORS and PLAYBOOKS up to a position, once and in order, by the handlers alone. */
export function createPrefixOracle(log: LogView): PrefixOracle {
  const decoded = new Map<SimulatedMessage, unknown>();
  const read = <Stream extends StreamName>(stream: Stream, message: SimulatedMessage): EventOf<Stream> => {
    const known = decoded.get(message) as EventOf<Stream> | undefined;
    if (known !== undefined) return known;
    const result = decodeEvent(stream, message.payload, message.subject);
    if (!result.ok) throw new Error(`${stream} ${message.sequence} can not be read: ${result.message}`);
    decoded.set(message, result.event);
    return result.event;
  };
  let newest: { key: string; digests: ReadonlyMap<string, string> } | undefined;
  const digestsAt: PrefixOracle['digestsAt'] = async (position) => {
    const key = `${position.VECTORS ?? 0} ${position.PLAYBOOKS ?? 0}`;
    // Two workers that have read as far are compared with one fold.
    if (newest?.key !== key) newest = { key, digests: await fold(position) };
    return newest.digests;
  };
  const fold = async (position: Readonly<Record<string, number>>) => {
    const catalogue = createIndexCatalogue(configuredSpaceText);
    const ports = { catalogue, log: silentLog, withoutGraph: true };
    const handlers: Readonly<Record<'VECTORS' | 'PLAYBOOKS', object>> = {
      VECTORS: vectorHandlers(ports),
      PLAYBOOKS: playbookHandlers(ports),
    };
    for (const stream of ['VECTORS', 'PLAYBOOKS'] as const)
      for (const message of log.stream(stream).messages.slice(0, position[stream] ?? 0)) {
        const event = read(stream, message);
        const table = handlers[stream] as Readonly<Record<string, (event: unknown, context: FoldContext) => void>>;
        table[event.type]?.(event, contextOf(message));
      }
    return digestsOf(catalogue);
  };
  return {
    digestsAt,
    look: async (members, failures) => {
      for (const { name, process } of members) {
        if (process?.index === undefined || !process.index.folds.isCaughtUp()) continue;
        const { catalogue, folds, gate } = process.index;
        const [position, found] = await gate.whileHeld(async () => [folds.position(), await digestsOf(catalogue)]);
        const clean = await digestsAt(position);
        for (const key of new Set([...found.keys(), ...clean.keys()]))
          if (found.get(key) !== clean.get(key))
            failures.push(`P: ${name} at ${JSON.stringify(position)} is not the fold of what it read: ${key}`);
      }
    },
  };
}

function contextOf({ sequence, subject, payload, storedAtMs }: SimulatedMessage): FoldContext {
  return { sequence, subject, payload, storedAtMs, traceId: undefined };
}

async function digestsOf(catalogue: IndexCatalogue): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const entry of catalogue.all())
    if (!isEmpty(entry.index))
      digests.set(`${entry.kind} ${entry.corpus} in ${entry.space}`, await digestOfIndex(entry));
  return digests;
}

/** L: what was acknowledged is there, where it was said to be, and once. */
function lost({ log, acknowledged }: EndOfRun): string[] {
  return acknowledged.flatMap(({ stream, messageId, sequence }) => {
    const message = log.message(stream, sequence);
    if (message === undefined || (messageId !== undefined && message.messageId !== messageId))
      return [`L: ${stream} ${sequence} was acknowledged and is not there`];
    const copies = log.stream(stream).messages.filter((one) => one.messageId === message.messageId);
    return copies.length === 1 ? [] : [`L: ${message.messageId} is in ${stream} ${copies.length} times`];
  });
}

function poisonedIds({ says }: Plan): Set<string> {
  return new Set(says.flatMap(({ event }, at) => (event.kind === 'poison' ? [`said-${at}`] : [])));
}

/** What can not be taken is set aside once, and nothing else is. */
function wrongRejections({ log, plan }: EndOfRun): string[] {
  const poisoned = poisonedIds(plan);
  const wanted = log
    .stream('INGEST')
    .messages.filter(({ messageId }) => poisoned.has(messageId))
    .map(({ sequence }) => `INGEST ${sequence} ingest`);
  const found = log.stream('REJECTED').messages.map(({ payload, subject, sequence }) => {
    const read = decodeEvent('REJECTED', payload, subject);
    if (!read.ok || read.event.type !== 'lakehouse.rejected') return `REJECTED ${sequence}, which can not be read`;
    const { data } = read.event;
    return `${data.stream} ${data.sequence} ${data.worker}`;
  });
  return isDeepStrictEqual(found.sort(), wanted.sort())
    ? []
    : [`what was set aside is [${found.join(', ')}] and not [${wanted.join(', ')}]`];
}

/** The states of a document never go back to an older version; nor do those of a vector where they are joined. */
function wentBack({ log, plan }: EndOfRun): string[] {
  const failures: string[] = [];
  const streams = plan.joins ? (['DOCUMENTS', 'VECTORS'] as const) : (['DOCUMENTS'] as const);
  for (const stream of streams)
    for (const [subject, messages] of log.stream(stream).bySubject) {
      let before = 0;
      for (const message of messages) {
        const { data } = JSON.parse(Buffer.from(message.payload).toString('utf8'));
        const version: number = data.metadata?.version ?? 0;
        if (version < before)
          failures.push(`${stream} ${message.sequence} goes back to version ${version} of ${subject}`);
        before = version;
      }
    }
  return failures;
}

interface Expected {
  readonly all: ReadonlyMap<string, DocumentData>;
  /** Without what a drop of the corpus has ended. */
  readonly left: ReadonlyMap<string, DocumentData>;
}

/** The fold of INGEST, in its order, once, worked out without the code under test. */
function expectedDocuments({ log, plan }: EndOfRun): Expected {
  let floor = 0;
  const poisoned = poisonedIds(plan);
  const history = log.stream('INGEST').messages.map(({ payload, subject, sequence, messageId }): Said => {
    const nothing = { items: [] };
    const text = Buffer.from(payload).toString('utf8');
    if (subject.startsWith('corpora.')) {
      if (text.includes('dropped')) floor = sequence;
      return nothing;
    }
    return poisoned.has(messageId) ? nothing : (JSON.parse(text) as Said);
  });
  const all = foldHistory(history);
  const left = new Map<string, DocumentData>();
  const silent = { version: 0, value: null };
  for (const [id, state] of all) {
    const { version, after = version } = state.content;
    const lives = after > floor || (after === floor && state.content.after !== undefined);
    const content = lives ? state.content : silent;
    const metadata = state.metadata.version > floor ? state.metadata : silent;
    if (content.version + metadata.version > 0) left.set(id, { ...state, content, metadata });
  }
  return { all, left };
}

function wrongDocuments(log: LogView, expected: Expected['all']): string[] {
  const failures: string[] = [];
  const found = new Map<string, DocumentData>();
  for (const messages of log.stream('DOCUMENTS').bySubject.values()) {
    const message = messages.at(-1);
    const read = message === undefined ? undefined : decodeEvent('DOCUMENTS', message.payload, message.subject);
    if (read?.ok === true && read.event.type === 'lakehouse.document') found.set(read.event.data.id, read.event.data);
  }
  for (const id of new Set([...found.keys(), ...expected.keys()]))
    if (!isDeepStrictEqual(plain(found.get(id)), plain(expected.get(id))))
      failures.push(
        `H: "${id}" is ${JSON.stringify(found.get(id))} in DOCUMENTS, and by INGEST ${JSON.stringify(expected.get(id))}`,
      );
  return failures;
}

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

/** The metadata that counts: weak content brings its own, unless something was said of it behind its place. */
function countingJson({ content, metadata }: DocumentData): string | null {
  const weak = content.after !== undefined && metadata.version <= content.after;
  const value = weak ? (content.value?.metadata ?? null) : metadata.value;
  return value === null ? null : metadataJson(value);
}

/** What is found of each document, in each space, against the fold of INGEST alone. */
function wrongIndex(name: string, catalogue: IndexCatalogue, expected: Expected['left'], plan: Plan): string[] {
  const failures: string[] = [];
  const alive = new Map<string, string>();
  for (const { kind, space, index } of catalogue.all()) {
    if (kind !== 'documents') continue;
    for (const { id, content, metadata, vector } of index.entries())
      if (vector !== null)
        alive.set(`"${id}" in ${space}`, describe(content.version, content.hash, metadata.json, vector));
  }
  const wanted = new Map<string, string>();
  for (const [id, state] of expected) {
    const { version, value } = state.content;
    if (value === null) continue;
    const want = (space: string, vector: Float32Array | undefined) =>
      wanted.set(
        `"${id}" in ${space}`,
        describe(version, value.hash, countingJson(state), vector ?? new Float32Array()),
      );
    const own = value.vector === null ? undefined : decodeVector(value.vector);
    want(value.space, own ?? fakeVector(value.space, value.text ?? ''));
    if (plan.heldBeside && value.text !== null) want(besideSpaceText, fakeVector(besideSpaceText, value.text));
  }
  for (const key of new Set([...alive.keys(), ...wanted.keys()]))
    if (alive.get(key) !== wanted.get(key))
      failures.push(
        `H: ${name} has ${key} as ${alive.get(key) ?? 'absent'}, by INGEST it is ${wanted.get(key) ?? 'absent'}`,
      );
  return failures;
}

function describe(version: number, hash: string | null, json: string | null, vector: Float32Array): string {
  return `content ${version} ${hash?.slice(0, 8)}, metadata ${json}, vector ${[...vector].join(' ')}`;
}

/** A playbook lives in a space where the newest word of it there is a recording; a retraction is said of all spaces. */
function wrongPlaybooks(name: string, catalogue: IndexCatalogue, log: LogView): string[] {
  const wanted = new Map<string, number>();
  const spacesOf = new Map<string, Set<string>>();
  for (const { payload, subject, sequence } of log.stream('PLAYBOOKS').messages) {
    const read = decodeEvent('PLAYBOOKS', payload, subject);
    if (!read.ok) return [`PLAYBOOKS ${sequence} can not be read: ${read.message}`];
    const { data } = read.event;
    const spaces = spacesOf.get(data.playbook_id) ?? new Set();
    spacesOf.set(data.playbook_id, spaces);
    if ('entry' in data) {
      spaces.add(data.space);
      wanted.set(`${data.playbook_id} in ${data.space}`, sequence);
    } else for (const space of spaces) wanted.delete(`${data.playbook_id} in ${space}`);
  }
  const alive = new Map<string, number>();
  for (const { kind, space, index } of catalogue.all())
    if (kind === 'playbooks')
      for (const { id, content, vector } of index.entries())
        if (vector !== null) alive.set(`${id} in ${space}`, content.version);
  return isDeepStrictEqual(alive, wanted)
    ? []
    : [`H: ${name} remembers ${JSON.stringify([...alive])}, and was told ${JSON.stringify([...wanted])}`];
}
