import { readFile } from 'node:fs/promises';
import type { Clock } from '../../streams/clock.ts';
import { isoTime } from '../../streams/clock.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { StreamState } from '../../streams/stream-reader.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';
import { replaceFile, setAside } from './files.ts';
import { initialState } from './fold.ts';

export const checkpointLimits = {
  /** A change is on disk after so long, */
  intervalMs: 5_000,
  /** or after so many folded events, whichever comes first. */
  eventsMax: 2_000,
} as const;

/**
 * The checkpoint to fold on from. A file that can not be read, or that is the fold of another stream than the one that
 * is there, is set aside with a warning; the state is then folded anew from what the stream still has.
 */
export async function recoverCheckpoint(
  path: string,
  stream: StreamState,
  clock: Clock,
  log: RuntimeLog,
): Promise<Checkpoint> {
  const fresh: Checkpoint = { streamCreatedAtMs: stream.createdAtMs, sequence: 0, state: initialState };
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const decoded = text === undefined ? { checkpoint: fresh } : decodeCheckpoint(text);
  const fault = 'fault' in decoded ? decoded.fault : foreignTo(stream, decoded.checkpoint);
  if (fault !== undefined) {
    const movedTo = await setAside(path, isoTime(clock));
    log.warn({ path, movedTo, fault }, `the observer's checkpoint is of no use and its state is folded anew: ${fault}`);
  }
  const checkpoint = fault === undefined && 'checkpoint' in decoded ? decoded.checkpoint : fresh;
  const missing = stream.firstSequence - 1 - checkpoint.sequence;
  if (missing > 0)
    log.warn(
      { missing, firstSequence: stream.firstSequence },
      `${missing} events left OBSERVATIONS before they were folded: the totals do not have them`,
    );
  return checkpoint;
}

/** Why a checkpoint can not be of this stream; undefined where it can. */
function foreignTo(stream: StreamState, checkpoint: Checkpoint): string | undefined {
  if (checkpoint.sequence === 0) return undefined;
  if (checkpoint.sequence > stream.lastSequence)
    return `it ends at sequence ${checkpoint.sequence} where OBSERVATIONS ends at ${stream.lastSequence}: the log was replaced or set back`;
  if (checkpoint.streamCreatedAtMs !== stream.createdAtMs)
    return `it is of a stream made ${new Date(checkpoint.streamCreatedAtMs).toISOString()}, and OBSERVATIONS was made ${new Date(stream.createdAtMs).toISOString()}`;
  return undefined;
}

export interface CheckpointStore {
  /** To be called after each folded event: saves when enough of them came. */
  noteEvent(): void;
  /** Saves what changed since the last time; resolves when it is on disk or could not be written, which is told. */
  save(): Promise<void>;
  /** Saves a last time and ends. */
  stop(): Promise<void>;
}

/**
 * Keeps the checkpoint on disk. One that can not be written is told and tried again at the next turn: the fold goes on,
 * and only work is lost, since the stream has the events.
 */
export function startCheckpointStore(path: string, current: () => Checkpoint, log: RuntimeLog): CheckpointStore {
  let savedSequence = current().sequence;
  let events = 0;
  let running: Promise<void> = Promise.resolve();

  const write = async () => {
    const checkpoint = current();
    if (checkpoint.sequence === savedSequence) return;
    events = 0;
    try {
      await replaceFile(path, encodeCheckpoint(checkpoint));
      savedSequence = checkpoint.sequence;
    } catch (error) {
      log.warn({ error, path }, "the observer's checkpoint could not be written and will be tried again");
    }
  };
  const save = () => {
    running = running.then(write);
    return running;
  };
  const timer = setInterval(save, checkpointLimits.intervalMs);
  timer.unref();

  return {
    noteEvent: () => {
      events++;
      if (events === checkpointLimits.eventsMax) void save();
    },
    save,
    stop: () => {
      clearInterval(timer);
      return save();
    },
  };
}
