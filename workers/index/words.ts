import type { VectorData } from '../../schemas/events/document.ts';
import type { Position } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import type { RetrievalMode } from '../../schemas/requests/explain.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { startProjector } from '../../streams/projector.ts';
import { vectorSubjectsOf } from '../corpus-index/state.ts';
import { createLexicalIndex, type LexicalIndex, type LexicalStats } from '../lexical/lexical-index.ts';
import { placeOf } from '../registers/registers.ts';

/** The corpus whose words are meant. */
export interface WordsOf {
  readonly corpus: string;
  readonly space: string;
}

/**
 * The words of the corpora that somebody asked for by words: a fold of VECTORS beside the indexes, so that whoever searches
 * by meaning alone neither waits for it nor keeps it in memory.
 */
export interface Words {
  /** Undefined while they are gathered, which begins with the first question. */
  atHand(of: WordsOf): LexicalIndex | undefined;
  /** @throws ProblemError `unavailable` where they are not gathered before the signal aborts */
  whenGathered(of: WordsOf, signal: AbortSignal): Promise<LexicalIndex>;
  /** The live fold brings every event here, too. */
  note(data: VectorData): void;
  /** Something was said of a corpus: what it has dropped is let go of, and gathered anew when somebody asks. */
  onCorpus(corpus: string): void;
  /** Undefined where nobody asked yet. */
  stats(of: WordsOf): LexicalStats | undefined;
  stop(): Promise<void>;
}

export interface WordsPorts {
  readonly connection: LogConnection;
  readonly log: RuntimeLog;
  /** How far the live fold is. */
  readonly position: () => Position;
  /** The newest drop of a corpus: what stands before it has no words. */
  readonly floorOf: (corpus: string) => number;
}

interface Gathering {
  readonly of: WordsOf;
  /** The drop that it is gathered behind. */
  readonly floor: number;
  readonly index: LexicalIndex;
  readonly done: Promise<void>;
  gathered: boolean;
}

const keyOf = ({ corpus, space }: WordsOf) => `${space} ${corpus}`;

/**
 * Gathers words of one corpus after the other: what VECTORS held when it began is read again, and what comes meanwhile is
 * brought by the live fold. Of two versions of a document the later counts, so the two may meet in any order.
 */
export function createWords({ connection, log, position, floorOf }: WordsPorts): Words {
  const gatherings = new Map<string, Gathering>();
  const stopping = new AbortController();
  let last: Promise<void> = Promise.resolve();

  const read = async (of: WordsOf, gathering: Gathering): Promise<void> => {
    if (stopping.signal.aborted) return;
    const began = connection.clock.monotonicMs();
    const projector = startProjector({
      connection,
      log,
      stream: 'VECTORS',
      worker: 'index',
      checkpoint: 0,
      until: position().VECTORS ?? 0,
      filterSubject: vectorSubjectsOf(of),
      // The live fold met what can not be read, and set it aside.
      onlyLooks: true,
      handlers: {
        'lakehouse.vector': ({ data }) => bring(gathering, data),
        'lakehouse.vector-corpus': () => undefined,
      },
    });
    const stop = () => void projector.stop();
    stopping.signal.addEventListener('abort', stop, { once: true });
    await projector.finished;
    stopping.signal.removeEventListener('abort', stop);
    if (stopping.signal.aborted) return;
    gathering.gathered = true;
    const durationMs = Math.round(connection.clock.monotonicMs() - began);
    log.info({ ...of, ...gathering.index.stats(), durationMs }, 'the words of a corpus can be searched');
  };
  const gather = (of: WordsOf): Gathering => {
    const known = gatherings.get(keyOf(of));
    if (known !== undefined) return known;
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const gathering: Gathering = {
      of,
      floor: floorOf(of.corpus),
      index: createLexicalIndex(),
      done: begun.then(() => read(of, gathering)),
      gathered: false,
    };
    gatherings.set(keyOf(of), gathering);
    void last.then(begin);
    last = gathering.done.catch((error: unknown) => {
      gatherings.delete(keyOf(of));
      log.error({ ...of, error }, 'the words of a corpus could not be gathered; the next question tries again');
    });
    return gathering;
  };

  return {
    atHand: (of) => {
      const { gathered, index } = gather(of);
      return gathered ? index : undefined;
    },
    whenGathered: async (of, signal) => {
      const gathering = gather(of);
      await Promise.race([gathering.done, aborted(signal)]);
      if (gathering.gathered) return gathering.index;
      const { documents } = gathering.index.stats();
      throw new ProblemError(
        'unavailable',
        `the words of "${of.corpus}" are being gathered from the log (${documents} documents so far); ask again in a ` +
          'moment, or with retrieval "vector"',
        { corpus: of.corpus },
      );
    },
    note: (data) => {
      const gathering = gatherings.get(keyOf(data));
      if (gathering !== undefined) bring(gathering, data);
    },
    onCorpus: (corpus) => {
      for (const [key, { of, floor }] of gatherings)
        if (of.corpus === corpus && floor < floorOf(corpus)) gatherings.delete(key);
    },
    stats: (of) => gatherings.get(keyOf(of))?.index.stats(),
    stop: async () => {
      stopping.abort();
      await last;
    },
  };
}

/** For searches by vector alone, without a log to gather words from. */
export const wordsOfNobody: Words = {
  atHand: () => undefined,
  whenGathered: (of) =>
    Promise.reject(
      new ProblemError('unavailable', `no words are gathered here of "${of.corpus}"`, { corpus: of.corpus }),
    ),
  note: () => {},
  onCorpus: () => {},
  stats: () => undefined,
  stop: () => Promise.resolve(),
};

const noWords: ReadonlyMap<string, LexicalIndex> = new Map();

/** The words of corpora, by corpus: none where they do not matter, undefined where some are not gathered yet. */
export function allAtHand(
  words: Words,
  mode: RetrievalMode,
  corpora: readonly WordsOf[],
): ReadonlyMap<string, LexicalIndex> | undefined {
  if (mode === 'vector') return noWords;
  const found = new Map<string, LexicalIndex>();
  for (const of of corpora) {
    const index = words.atHand(of);
    if (index !== undefined) found.set(of.corpus, index);
  }
  return found.size === corpora.length ? found : undefined;
}

/** As `allAtHand`, when they are gathered. @throws ProblemError as `whenGathered` */
export async function allGathered(
  words: Words,
  mode: RetrievalMode,
  corpora: readonly WordsOf[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, LexicalIndex>> {
  if (mode === 'vector') return noWords;
  return new Map(
    await Promise.all(corpora.map(async (of) => [of.corpus, await words.whenGathered(of, signal)] as const)),
  );
}

function bring({ index, floor }: Gathering, { id, content }: VectorData): void {
  const place = placeOf(content);
  if (place > floor) index.apply({ id, version: place, text: content.value?.text ?? null });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
