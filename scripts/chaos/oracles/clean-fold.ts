import type { Position } from '../../../schemas/position.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import type { RuntimeLog } from '../../../streams/logger.ts';
import { readStreamState } from '../../../streams/stream-reader.ts';
import { createIndexCatalogue, type IndexCatalogue } from '../../../workers/corpus-index/catalogue.ts';
import { isEmpty } from '../../../workers/corpus-index/fold.ts';
import { digestOfIndex } from '../../../workers/corpus-index/index-digest.ts';
import { foldedStreams, startIndexFolds } from '../../../workers/corpus-index/state.ts';

export const quietLog: RuntimeLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** The state that the log says, folded once and in order in this process, without graphs. */
export interface CleanFold {
  readonly catalogue: IndexCatalogue;
  readonly position: () => Position;
  /** Folds on to a later position. */
  foldTo(position: Position): Promise<void>;
  /** The digest of each index that holds something, as `kind corpus space` has it. */
  digests(): Promise<ReadonlyMap<string, string>>;
}

export function createCleanFold(connection: LogConnection): CleanFold {
  const catalogue = createIndexCatalogue('');
  let position: Position = { VECTORS: 0, PLAYBOOKS: 0 };
  return {
    catalogue,
    position: () => position,
    foldTo: async (until) => {
      const folds = startIndexFolds({
        connection,
        log: quietLog,
        worker: 'oracle',
        catalogue,
        checkpoint: position,
        until,
        onlyLooks: true,
        withoutGraph: true,
      });
      await folds.finished;
      position = { VECTORS: until.VECTORS ?? 0, PLAYBOOKS: until.PLAYBOOKS ?? 0 };
    },
    digests: async () => {
      const digests = new Map<string, string>();
      for (const entry of catalogue.all())
        if (!isEmpty(entry.index)) digests.set(digestKey(entry), await digestOfIndex(entry));
      return digests;
    },
  };
}

export function digestKey({ kind, corpus, space }: { kind: string; corpus: string; space: string }): string {
  return `${kind} ${corpus} ${space}`;
}

/** Where VECTORS and PLAYBOOKS end now. */
export async function endOfLog(connection: LogConnection): Promise<Position> {
  const ends = foldedStreams.map(async (stream) => [stream, (await readStreamState(connection, stream)).lastSequence]);
  return Object.fromEntries(await Promise.all(ends));
}
