import type { CorpusSpaceData } from '../../schemas/events/corpus-space.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { type Projector, startProjector } from '../../streams/projector.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import type { RuntimeConnection } from '../../streams/transport.ts';
import { type CorpusSpaces, createCorpusSpaces } from './corpus-spaces.ts';

export interface FollowPorts {
  readonly connection: RuntimeConnection;
  readonly worker: string;
  readonly log: RuntimeLog;
  /** Told of each event behind what was there at the start, when it is in the fold. */
  readonly onChange?: (data: CorpusSpaceData) => void | Promise<void>;
}

/** Follows INDEXES for what spaces are to corpora. Resolves when what is there now is folded. */
export async function followCorpusSpaces(
  ports: FollowPorts,
): Promise<{ readonly spaces: CorpusSpaces; stop(): Promise<void> }> {
  const { connection, worker, log, onChange } = ports;
  const { lastSequence } = await readStreamState(connection, 'INDEXES');
  const spaces = createCorpusSpaces();
  const projector: Projector = startProjector({
    connection,
    worker,
    log,
    stream: 'INDEXES',
    checkpoint: 0,
    onlyLooks: true,
    handlers: {
      'lakehouse.index-switched': () => undefined,
      'lakehouse.index-lease': () => undefined,
      'lakehouse.corpus-space': ({ data }, { sequence }) => {
        spaces.note(data);
        return sequence > lastSequence ? onChange?.(data) : undefined;
      },
    },
  });
  await projector.caughtUp;
  return { spaces, stop: () => projector.stop() };
}

/** What spaces are to corpora now. */
export async function readCorpusSpaces(ports: Omit<FollowPorts, 'onChange'>): Promise<CorpusSpaces> {
  const { spaces, stop } = await followCorpusSpaces(ports);
  await stop();
  return spaces;
}
