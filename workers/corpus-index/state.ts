import type { Position } from '../../schemas/position.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { type Projector, startProjector } from '../../streams/projector.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { subjectOf } from '../../streams/subjects.ts';
import type { RuntimeConnection } from '../../streams/transport.ts';
import type { IndexCatalogue, IndexName } from './catalogue.ts';
import { type FoldPorts, playbookHandlers, vectorHandlers } from './fold.ts';
import type { FoldGate } from './gate.ts';

/** How far each folded stream is in a state; a stream that is not named is at its beginning. */
export type Checkpoint = Readonly<Record<string, number>>;

/** The streams that the state of an index worker is a fold of. */
export const foldedStreams = ['VECTORS', 'PLAYBOOKS'] as const;

export interface IndexFolds {
  readonly position: () => Position;
  readonly waitFor: (wanted: Position, signal: AbortSignal) => Promise<boolean>;
  readonly caughtUp: Promise<void>;
  readonly isCaughtUp: () => boolean;
  /** Resolves when every fold with an end has reached it. */
  readonly finished: Promise<void>;
  stop(): Promise<void>;
}

export interface FoldOptions extends FoldPorts {
  readonly connection: RuntimeConnection;
  readonly worker: string;
  readonly checkpoint: Checkpoint;
  /** Where the folds end; without it they follow the log. */
  readonly until?: Checkpoint;
  /** Fold only these subjects of VECTORS; goes with `until`. */
  readonly vectorSubjects?: string;
  readonly betweenEvents?: () => Promise<void> | undefined;
  /** Holds the folds while the whole state is looked at. */
  readonly gate?: FoldGate;
  readonly log: RuntimeLog;
  /** As of a projector: what can not be read stays out of REJECTED. */
  readonly onlyLooks?: boolean;
}

/** Folds VECTORS and PLAYBOOKS into a catalogue of indexes, each in its order, independently of one another. */
export function startIndexFolds(options: FoldOptions): IndexFolds {
  const { connection, worker, log, checkpoint, until, betweenEvents, vectorSubjects } = options;
  const { onlyLooks = false, gate } = options;
  const common = {
    connection,
    worker,
    log,
    onlyLooks,
    ...(gate === undefined ? {} : { held: gate.closed }),
    ...(betweenEvents === undefined ? {} : { betweenEvents }),
  };
  const endOf = (stream: string) => (until === undefined ? {} : { until: until[stream] ?? 0 });
  const vectors = startProjector({
    ...common,
    ...endOf('VECTORS'),
    ...(vectorSubjects === undefined ? {} : { filterSubject: vectorSubjects }),
    stream: 'VECTORS',
    checkpoint: checkpoint.VECTORS ?? 0,
    handlers: vectorHandlers(options),
  });
  const playbooks = startProjector({
    ...common,
    ...endOf('PLAYBOOKS'),
    stream: 'PLAYBOOKS',
    checkpoint: checkpoint.PLAYBOOKS ?? 0,
    handlers: playbookHandlers(options),
  });
  const projectors: Readonly<Record<string, Projector>> = { VECTORS: vectors, PLAYBOOKS: playbooks };
  const all = Object.values(projectors);
  let position: Position = {};
  return {
    position: () => {
      const [vectorsFolded, playbooksFolded] = [vectors.progress.sequence(), playbooks.progress.sequence()];
      // The same object as long as nothing was folded: whoever writes it down need not do so again.
      if (position.VECTORS !== vectorsFolded || position.PLAYBOOKS !== playbooksFolded)
        position = { VECTORS: vectorsFolded, PLAYBOOKS: playbooksFolded };
      return position;
    },
    waitFor: async (wanted, signal) => {
      const waits = Object.entries(wanted).map(([stream, sequence]) =>
        projectors[stream]?.progress.waitFor(sequence, signal),
      );
      return (await Promise.all(waits)).every((reached) => reached !== false);
    },
    caughtUp: Promise.all(all.map((projector) => projector.caughtUp)).then(() => undefined),
    isCaughtUp: () => all.every((projector) => projector.isCaughtUp()),
    finished: Promise.all(all.map((projector) => projector.finished)).then(() => undefined),
    stop: async () => {
      await Promise.all(all.map((projector) => projector.stop()));
    },
  };
}

/** The subjects of VECTORS that an index is folded from: its corpus in every space, and what was said of the corpus. */
export function vectorSubjectsOf({ corpus }: Pick<IndexName, 'corpus'>): string {
  return `vectors.*.${corpus}.*`;
}

/**
 * Reads what was said of every corpus, all there is: what was dropped is then known before the first document is folded.
 * What a fold meets of it again changes nothing.
 */
export async function readCorpora(
  connection: RuntimeConnection,
  worker: string,
  log: RuntimeLog,
  catalogue: IndexCatalogue,
): Promise<void> {
  const { lastSequence: until } = await readStreamState(connection, 'VECTORS');
  const projector = startProjector({
    connection,
    worker,
    log,
    stream: 'VECTORS',
    checkpoint: 0,
    until,
    filterSubject: subjectsOfCorpora,
    onlyLooks: true,
    handlers: {
      'lakehouse.vector': () => undefined,
      'lakehouse.vector-corpus': ({ data }) => catalogue.sayCorpus(data),
    },
  });
  await projector.finished;
}

const subjectsOfCorpora = subjectOf('lakehouse.vector-corpus', { corpus: 'any' }).replace('.any.', '.*.');
