import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Position } from '../../../schemas/position.ts';
import { ProblemError } from '../../../schemas/problems.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import type { RuntimeLog } from '../../../streams/logger.ts';
import type { IndexCatalogue, IndexEntry } from '../../corpus-index/catalogue.ts';
import { declarationOf } from '../../documents/corpus-state.ts';
import type { WaitForPosition } from '../reached.ts';
import type { Rejections } from '../rejections.ts';
import type { SearchableWaits } from '../searchable.ts';

export interface VectorsPorts {
  readonly catalogue: IndexCatalogue;
  readonly connection: LogConnection;
  readonly log: RuntimeLog;
  readonly waits: Pick<SearchableWaits, 'settle' | 'corpusSaid'>;
  readonly rejected: Rejections;
  readonly position: () => Position;
  readonly waitForPosition: WaitForPosition;
  /** A fresh message id for each event. */
  readonly nextId: () => string;
}

/** The index of that name; undefined where there is none: neither declared nor with anything in it. */
export function findIndex(name: string, catalogue: IndexCatalogue): IndexEntry | undefined {
  const entry = catalogue.serving(name, null);
  if (entry === undefined) return undefined;
  return entry.index.size > 0 || declarationOf(catalogue.corpusState(name)) !== undefined ? entry : undefined;
}

/** @throws ProblemError `not_found` */
export function needIndex(name: string, catalogue: IndexCatalogue, field = 'name'): IndexEntry {
  const entry = findIndex(name, catalogue);
  if (entry !== undefined) return entry;
  throw new ProblemError('not_found', `there is no index "${name}"; create it first`, { field });
}

export function isAlive(corpus: string, id: string, catalogue: IndexCatalogue): boolean {
  return catalogue.ofCorpus('documents', corpus, null).some(({ index }) => index.has(id));
}

const sliceMs = 5;

/** Lets others have a turn where a long piece of work had its time. */
export function createTurns({ connection: { clock } }: Pick<VectorsPorts, 'connection'>): () => Promise<void> {
  let began = clock.monotonicMs();
  return async () => {
    if (clock.monotonicMs() - began < sliceMs) return;
    await nextTurn();
    began = clock.monotonicMs();
  };
}
