import type { CorpusState } from '../../schemas/events/corpus.ts';
import type { DocumentData } from '../../schemas/events/document.ts';
import type { Position } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import type { DigestReply } from '../../schemas/requests/index.ts';
import type { Space } from '../../schemas/space.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { consumerLag } from '../../streams/moments.ts';
import { startProjector } from '../../streams/projector.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { tokenAt } from '../../streams/subjects.ts';
import { createIndexCatalogue, type IndexCatalogue } from '../corpus-index/catalogue.ts';
import { isEmpty, metadataJson } from '../corpus-index/fold.ts';
import { digestOfIndex } from '../corpus-index/index-digest.ts';
import { foldedStreams, startIndexFolds } from '../corpus-index/state.ts';
import type { CorpusSpaces } from '../corpus-spaces/corpus-spaces.ts';
import { readCorpusSpaces } from '../corpus-spaces/follow.ts';
import { spaceConsumer } from '../corpus-spaces/space-reactors.ts';
import { corpusAsOf, dropFloor, joinCorpusStates, spokenCorpus } from '../documents/corpus-state.ts';
import { effectiveMetadata, joinStates, overrule, spokenState, withoutDropped } from '../documents/document-state.ts';
import type { Difference, VerifyReport } from './task.ts';

export interface VerifyPorts {
  readonly connection: LogConnection;
  readonly log: RuntimeLog;
  readonly configuredSpace: Space;
  /** The digests of a live index worker that has folded at least this far. */
  readonly liveDigests: (position: Position) => Promise<DigestReply>;
  readonly onStep: (step: string) => void;
}

const differencesShownMax = 20;
const settleWaitMs = 200;

/** Proves the live state by both oracles. New events may come meanwhile: documents that moved on are left out. */
export async function verify(ports: VerifyPorts, settleDeadlineMs: number): Promise<VerifyReport> {
  const { connection, log } = ports;
  const { lastSequence: ingestUntil } = await readStreamState(connection, 'INGEST');
  ports.onStep(`waiting until what was said up to INGEST ${ingestUntil} is embedded`);
  await settle(ports, settleDeadlineMs);
  ports.onStep('asking the live index for its digests');
  const live = await ports.liveDigests(await endOfLog(connection));

  ports.onStep('folding VECTORS and PLAYBOOKS from their beginning');
  const spaces = await readCorpusSpaces({ connection, log, worker: 'verify' });
  const clean = createIndexCatalogue('');
  const folds = startIndexFolds({
    connection,
    log,
    worker: 'verify',
    catalogue: clean,
    checkpoint: {},
    until: live.position,
    onlyLooks: true,
    withoutGraph: true,
    concerns: ({ kind, corpus, space }) => kind === 'playbooks' || !spaces.isDropped(corpus, space),
  });
  await folds.finished;
  const digests = await compareDigests(live, clean);

  ports.onStep('folding INGEST alone');
  const ingest = await compareWithIngest(ports, clean, ingestUntil, spaces);
  const equal = digests.every((one) => one.equal) && ingest.differing === 0;
  return { position: live.position, digests, ingest, equal };
}

/** Everything said is worked on: nothing pends at the ingest and the embed worker. */
async function settle({ connection, log }: VerifyPorts, deadlineMs: number): Promise<void> {
  const spaces = await readCorpusSpaces({ connection, log, worker: 'verify' });
  const deadline = connection.clock.monotonicMs() + deadlineMs;
  for (;;) {
    const lags = [
      await consumerLag(connection, 'INGEST', 'ingest'),
      await consumerLag(connection, 'DOCUMENTS', 'embed'),
      ...(await Promise.all(
        spaces
          .held()
          .flatMap((of) => [
            consumerLag(connection, 'DOCUMENTS', spaceConsumer('embed', of)),
            consumerLag(connection, 'PLAYBOOKS', spaceConsumer('playbook', of)),
          ]),
      )),
    ];
    const left = lags.reduce((sum, lag) => sum + (lag === undefined ? 0 : lag.pending + lag.ackPending), 0);
    if (left === 0) return;
    if (connection.clock.monotonicMs() > deadline)
      throw new ProblemError(
        'deadline_passed',
        `${left} events are still being worked on; verify again when they are done`,
      );
    await connection.clock.sleep(settleWaitMs);
  }
}

async function endOfLog(connection: LogConnection): Promise<Position> {
  const ends = foldedStreams.map(async (stream) => [stream, (await readStreamState(connection, stream)).lastSequence]);
  return Object.fromEntries(await Promise.all(ends));
}

async function compareDigests(live: DigestReply, clean: IndexCatalogue): Promise<VerifyReport['digests']> {
  const rows = new Map<string, VerifyReport['digests'][number]>();
  const keyOf = (one: { kind: string; corpus: string; space: string }) => `${one.kind} ${one.corpus} ${one.space}`;
  for (const { kind, corpus, space, digest } of live.indexes)
    rows.set(keyOf({ kind, corpus, space }), { kind, corpus, space, live: digest, clean: null, equal: false });
  for (const entry of clean.all()) {
    const { kind, corpus, space, index } = entry;
    if (isEmpty(index)) continue;
    const digest = await digestOfIndex(entry);
    const known = rows.get(keyOf(entry))?.live ?? null;
    rows.set(keyOf(entry), { kind, corpus, space, live: known, clean: digest, equal: known === digest });
  }
  return [...rows.values()];
}

async function compareWithIngest(
  ports: VerifyPorts,
  clean: IndexCatalogue,
  until: number,
  spaces: CorpusSpaces,
): Promise<VerifyReport['ingest']> {
  const { expected, corpora } = await foldIngest(ports, until);
  const rejected = await rejectedVersions(ports);
  const differences: Difference[] = [];
  let differing = 0;
  const note = (difference: Difference) => {
    differing++;
    if (differences.length < differencesShownMax) differences.push(difference);
  };
  for (const difference of corporaThatDiffer(corpora, clean, until)) note(difference);
  for (const state of expected.values()) {
    const wanted = describeState(state);
    if (rejected.has(state.content.version)) continue;
    for (const found of describeFound(state, clean, until, spaces))
      if (found !== wanted) note({ corpus: state.corpus, id: state.id, expected: wanted, found });
  }
  for (const difference of phantoms(expected, clean, until, spaces)) note(difference);
  return { until, documents: expected.size, rejected: rejected.size, differences, differing };
}

/** What was said of each corpus as such: the newest saying, as INGEST alone has it. */
function* corporaThatDiffer(
  corpora: ReadonlyMap<string, CorpusState>,
  clean: IndexCatalogue,
  until: number,
): Generator<Difference> {
  const tell = (state: CorpusState | undefined) => {
    const said = state === undefined ? undefined : corpusAsOf(state, until)?.said.at(-1);
    return said === undefined ? 'nothing' : `${said.version} ${JSON.stringify(said.declared)}`;
  };
  const names = new Set([...corpora.keys(), ...[...clean.corpusStates()].map(({ corpus }) => corpus)]);
  for (const corpus of names) {
    const [expected, found] = [tell(corpora.get(corpus)), tell(clean.corpusState(corpus))];
    if (expected !== found) yield { corpus, id: '', expected, found };
  }
}

const keyOfDocument = (corpus: string, id: string) => `${corpus} ${id}`;

interface IngestFold {
  /** What a drop has ended is left out. */
  readonly expected: Map<string, DocumentData>;
  readonly corpora: ReadonlyMap<string, CorpusState>;
}

/** The state of every document and corpus as INGEST alone says it, in stream order, once. */
async function foldIngest({ connection, log, configuredSpace }: VerifyPorts, until: number): Promise<IngestFold> {
  const states = new Map<string, DocumentData>();
  const corpora = new Map<string, CorpusState>();
  const projector = startProjector({
    connection,
    log,
    stream: 'INGEST',
    worker: 'verify',
    checkpoint: 0,
    until,
    onlyLooks: true,
    handlers: {
      'lakehouse.ingest': ({ data }, { sequence, subject }) => {
        const corpus = tokenAt(subject, 1);
        const said = new Map<string, DocumentData>();
        for (const change of data.items) {
          const spoken = spokenState(change, { corpus, sequence, defaultSpace: configuredSpace });
          // One bad item, and the worker set the whole event aside.
          if (!spoken.ok) return;
          const earlier = said.get(change.id);
          said.set(change.id, earlier === undefined ? spoken.state : overrule(earlier, spoken.state));
        }
        for (const [id, state] of said) {
          const key = keyOfDocument(corpus, id);
          states.set(key, joinStates(states.get(key), state) ?? states.get(key) ?? state);
        }
      },
      'lakehouse.corpus-change': ({ data }, { sequence, subject }) => {
        const corpus = tokenAt(subject, 1);
        const spoken = spokenCorpus(data, corpus, sequence);
        corpora.set(corpus, joinCorpusStates(corpora.get(corpus), spoken) ?? spoken);
      },
    },
  });
  await projector.finished;
  const expected = new Map<string, DocumentData>();
  for (const [key, state] of states) {
    const left = withoutDropped(state, dropFloor(corpora.get(state.corpus)));
    if (left !== undefined) expected.set(key, left);
  }
  return { expected, corpora };
}

/** Versions whose content the embedder refused: they are in REJECTED instead of VECTORS. */
async function rejectedVersions({ connection, log }: VerifyPorts): Promise<Set<number>> {
  const versions = new Set<number>();
  const { lastSequence } = await readStreamState(connection, 'REJECTED');
  const projector = startProjector({
    connection,
    log,
    stream: 'REJECTED',
    worker: 'verify',
    checkpoint: 0,
    until: lastSequence,
    handlers: {
      'lakehouse.rejected': ({ data }) => {
        if (data.version !== null && data.worker === 'embed') versions.add(data.version);
      },
      'lakehouse.rejected-resolved': ({ data }) => {
        if (data.version !== null && data.worker === 'embed' && data.outcome === 'retried')
          versions.delete(data.version);
      },
      'lakehouse.rejected-retry': () => undefined,
    },
  });
  await projector.finished;
  return versions;
}

function describeState(state: DocumentData): string {
  const { content } = state;
  const metadata = effectiveMetadata(state);
  const json = metadata.value === null ? null : metadataJson(metadata.value);
  return describe(content.version, content.value?.hash ?? null, metadata.version, json);
}

function describe(contentVersion: number, hash: string | null, metadataVersion: number, json: string | null): string {
  return `content ${contentVersion} ${hash ?? 'absent'}, metadata ${metadataVersion} ${json ?? 'none'}`;
}

/** What is found of a document in each space where it has to be; nothing where it has moved on since. */
function describeFound(
  { corpus, id, content }: DocumentData,
  clean: IndexCatalogue,
  until: number,
  spaces: CorpusSpaces,
): string[] {
  const entries = clean.ofCorpus('documents', corpus, null);
  const { value } = content;
  const isWanted = (space: string) => space === value?.space || (value?.text != null && spaces.isHeld(corpus, space));
  const wanted =
    value === null
      ? entries.filter(({ index }) => index.lookup(id) !== undefined).slice(0, 1)
      : entries.filter(({ space }) => isWanted(space));
  if (wanted.length === 0) return value !== null && spaces.isDropped(corpus, value.space) ? [] : ['nothing'];
  return wanted.flatMap(({ index, space }) => {
    const known = index.lookup(id);
    if (known === undefined) return ['nothing'];
    // A model beside may refuse what the document's own took: then its version is known there, and it is absent.
    const refused = known.content.hash === null && known.content.version === content.version;
    if (refused && space !== value?.space) return [];
    if (Math.max(known.content.version, known.metadata.version) > until) return [];
    return [describe(known.content.version, known.content.hash, known.metadata.version, known.metadata.json)];
  });
}

/** Documents that are found though INGEST never spoke of them, or that live in a space which they left. */
function* phantoms(
  expected: Map<string, DocumentData>,
  clean: IndexCatalogue,
  until: number,
  spaces: CorpusSpaces,
): Generator<Difference> {
  for (const { kind, corpus, space, index } of clean.all()) {
    if (kind !== 'documents') continue;
    for (const id of index.ids()) {
      const state = expected.get(keyOfDocument(corpus, id));
      const value = state?.content.value;
      if (value?.space === space || (value != null && value.text !== null && spaces.isHeld(corpus, space))) continue;
      if ((index.lookup(id)?.content.version ?? 0) > until) continue;
      yield { corpus, id, expected: `not alive in ${space}`, found: `alive in ${space}` };
    }
  }
}
