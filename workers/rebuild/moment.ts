import type { LogConnection } from '../../streams/connection.ts';
import { lastSequenceBefore, storedAtMs } from '../../streams/moments.ts';
import { readStreamState } from '../../streams/stream-reader.ts';

/** A moment of the system: documents as of a version (an INGEST sequence), playbooks as of a sequence of PLAYBOOKS. */
export interface Moment {
  readonly version: number;
  readonly playbooks: number;
}

export type Past = { readonly untilSequence: number } | { readonly asOfMs: number };

/**
 * The moment that is meant: by an INGEST sequence (playbooks as of when that was stored), or by a time (the last sequence
 * of INGEST and of PLAYBOOKS before it).
 */
export async function momentOf(connection: LogConnection, past: Past): Promise<Moment> {
  if ('asOfMs' in past) {
    return {
      version: await lastSequenceBefore(connection, 'INGEST', past.asOfMs),
      playbooks: await lastSequenceBefore(connection, 'PLAYBOOKS', past.asOfMs),
    };
  }
  const { lastSequence } = await readStreamState(connection, 'INGEST');
  const version = Math.min(past.untilSequence, lastSequence);
  const atMs = await storedAtMs(connection, 'INGEST', version);
  // The next millisecond: what was recorded in the same one counts as before.
  return { version, playbooks: atMs === undefined ? 0 : await lastSequenceBefore(connection, 'PLAYBOOKS', atMs + 1) };
}
