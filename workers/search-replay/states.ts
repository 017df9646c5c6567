import type { VectorData } from '../../schemas/events/document.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { startProjector } from '../../streams/projector.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { readingAsOf } from '../corpus-index/as-of.ts';
import { createIndexCatalogue, type IndexCatalogue } from '../corpus-index/catalogue.ts';
import { startIndexFolds, vectorSubjectsOf } from '../corpus-index/state.ts';
import type { CorpusSpaces } from '../corpus-spaces/corpus-spaces.ts';
import { readCorpusSpaces } from '../corpus-spaces/follow.ts';
import { dropFloor } from '../documents/corpus-state.ts';
import { createLexicalIndex, type LexicalIndex } from '../lexical/lexical-index.ts';
import type { Moment } from '../rebuild/moment.ts';
import { placeOf } from '../registers/registers.ts';
import { type State, wordsKey } from './ask.ts';

export interface StatePorts {
  readonly connection: LogConnection;
  readonly log: RuntimeLog;
  readonly configuredSpace: string;
}

/** What the searches ask of a state: nothing else is folded into it. */
export interface Concerns {
  readonly corpora: ReadonlySet<string>;
  readonly playbookCorpora: ReadonlySet<string>;
  readonly words: boolean;
}

const worker = 'replay';

/**
 * Folds the log into the states of two moments, in this process and beside what is live. What the two have in common is
 * folded once. A corpus answers in the space that it answers in now: spaces do not travel in time.
 */
export async function foldStates(
  moments: readonly [Moment, Moment],
  concerns: Concerns,
  ports: StatePorts,
): Promise<[State, State]> {
  const { connection, log } = ports;
  const spaces = await readCorpusSpaces({ connection, log, worker });
  const documents = once((version: number) => foldDocuments(version, concerns, spaces, ports));
  const playbooks = once((sequence: number) => foldPlaybooks(sequence, concerns, ports));
  const stateOf = async (moment: Moment): Promise<State> => {
    const folded = await documents(moment.version);
    const remembered = await playbooks(moment.playbooks);
    const catalogue = createIndexCatalogue(ports.configuredSpace, (corpus) => spaces.serving(corpus));
    for (const state of folded.catalogue.corpusStates()) catalogue.sayCorpus(state);
    for (const entry of [...folded.catalogue.all(), ...remembered.all()]) catalogue.set(entry);
    return { catalogue, words: folded.words };
  };
  return [await stateOf(moments[0]), await stateOf(moments[1])];
}

/** Remembers what was made of each number. */
function once<Value>(make: (of: number) => Promise<Value>): (of: number) => Promise<Value> {
  const made = new Map<number, Promise<Value>>();
  return (of) => {
    const known = made.get(of) ?? make(of);
    made.set(of, known);
    return known;
  };
}

async function foldDocuments(
  version: number,
  { corpora, words }: Concerns,
  spaces: CorpusSpaces,
  { connection, log, configuredSpace }: StatePorts,
): Promise<State> {
  const catalogue = createIndexCatalogue(configuredSpace);
  const until = (await readStreamState(connection, 'VECTORS')).lastSequence;
  const [only] = corpora.size === 1 ? corpora : [];
  const subjects = only === undefined ? {} : { vectorSubjects: vectorSubjectsOf({ corpus: only }) };
  const folds = startIndexFolds({
    connection,
    log,
    catalogue,
    worker,
    checkpoint: {},
    until: { VECTORS: until, PLAYBOOKS: 0 },
    onlyLooks: true,
    withoutGraph: true,
    read: readingAsOf(version),
    concerns: ({ corpus, space }) => corpora.has(corpus) && !spaces.isDropped(corpus, space),
    ...subjects,
  });
  await folds.finished;
  const gathered = words
    ? await gatherWords(until, { catalogue, version, corpora }, { connection, log })
    : new Map<string, LexicalIndex>();
  return { catalogue, words: gathered };
}

async function foldPlaybooks(
  sequence: number,
  { playbookCorpora }: Concerns,
  { connection, log, configuredSpace }: StatePorts,
): Promise<IndexCatalogue> {
  const catalogue = createIndexCatalogue(configuredSpace);
  const folds = startIndexFolds({
    connection,
    log,
    catalogue,
    worker,
    checkpoint: {},
    until: { VECTORS: 0, PLAYBOOKS: sequence },
    onlyLooks: true,
    withoutGraph: true,
    concerns: ({ corpus }) => playbookCorpora.has(corpus),
  });
  await folds.finished;
  return catalogue;
}

/** The words of the documents of a state. Read behind it: what a drop has ended is known by then. */
async function gatherWords(
  until: number,
  of: { readonly catalogue: IndexCatalogue; readonly version: number; readonly corpora: ReadonlySet<string> },
  { connection, log }: Pick<StatePorts, 'connection' | 'log'>,
): Promise<Map<string, LexicalIndex>> {
  const words = new Map<string, LexicalIndex>();
  const { vector } = readingAsOf(of.version);
  const bring = (data: VectorData | undefined) => {
    if (data === undefined || !of.corpora.has(data.corpus)) return;
    const key = wordsKey(data.corpus, data.space);
    const index = words.get(key) ?? createLexicalIndex();
    words.set(key, index);
    const place = placeOf(data.content);
    if (place > dropFloor(of.catalogue.corpusState(data.corpus)))
      index.apply({ id: data.id, version: place, text: data.content.value?.text ?? null });
  };
  const projector = startProjector({
    connection,
    log,
    stream: 'VECTORS',
    worker,
    checkpoint: 0,
    until,
    onlyLooks: true,
    handlers: {
      'lakehouse.vector': ({ data }) => bring(vector(data)),
      'lakehouse.vector-corpus': () => undefined,
    },
  });
  await projector.finished;
  return words;
}
