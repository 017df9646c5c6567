import type { RuntimeLog } from '../../streams/logger.ts';
import type { Reactor } from '../../streams/reactor.ts';
import { encodeToken } from '../../streams/subjects.ts';
import type { RuntimeConnection } from '../../streams/transport.ts';
import type { CorpusSpace, CorpusSpaces } from './corpus-spaces.ts';
import { followCorpusSpaces } from './follow.ts';

export interface SpaceReactorPorts {
  readonly connection: RuntimeConnection;
  readonly worker: string;
  readonly log: RuntimeLog;
  /** Whether this process can do the work of a space at all. */
  readonly canDo: (space: string) => boolean;
  readonly start: (of: CorpusSpace, durable: string) => Promise<Reactor>;
  /** Deletes the durable consumer of what was dropped, so that it begins anew where that is held again. */
  readonly forget: (durable: string) => Promise<void>;
}

export interface SpaceReactors {
  readonly spaces: CorpusSpaces;
  stop(drainMs: number): Promise<void>;
}

/** The name of the durable consumer that a worker has for a corpus in a space. */
export function spaceConsumer(worker: string, { corpus, space }: CorpusSpace): string {
  return `${worker}-in-${corpus}-${encodeToken(space)}`;
}

/**
 * Runs a reactor for each space that a corpus is held in beside its own, as INDEXES says. Its consumer begins at the first
 * message, so that nothing is missed whenever the word arrives.
 */
export async function startSpaceReactors(ports: SpaceReactorPorts): Promise<SpaceReactors> {
  const { connection, worker, log, canDo, start, forget } = ports;
  const running = new Map<string, Promise<Reactor>>();
  const hold = async (of: CorpusSpace) => {
    const durable = spaceConsumer(worker, of);
    if (running.has(durable)) return;
    if (canDo(of.space)) {
      const starting = start(of, durable);
      running.set(durable, starting);
      starting.catch(() => running.delete(durable));
      await starting;
    } else log.warn({ ...of }, 'the model of this space is not offered here: name it in LAKEHOUSE_EMBED_MODELS');
  };
  const drop = async (of: CorpusSpace) => {
    const durable = spaceConsumer(worker, of);
    await (await running.get(durable))?.stop(0);
    running.delete(durable);
    await forget(durable);
  };
  const { spaces, stop } = await followCorpusSpaces({
    connection,
    worker,
    log,
    onChange: (data) => (data.state === 'dropped' ? drop(data) : hold(data)),
  });
  for (const of of spaces.dropped()) await drop(of);
  for (const of of spaces.held()) await hold(of);
  return {
    spaces,
    stop: async (drainMs) => {
      await stop();
      // One that never came to be, because the server was away, has nothing to finish.
      const started = await Promise.allSettled(running.values());
      await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.stop(drainMs) : undefined)));
    },
  };
}
