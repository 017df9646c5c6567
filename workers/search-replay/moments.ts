import { parsePosition } from '../../schemas/position.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { type Moment, momentOf, type Past } from '../rebuild/moment.ts';

/** A state of the system as a person names it. */
export interface NamedState {
  /** As it was written. */
  readonly name: string;
  readonly past: Past | { readonly position: Readonly<Record<string, number>> };
}

/**
 * Reads `now`, a sequence of INGEST (`4031`), a position (`INGEST=4031,PLAYBOOKS=12`; a stream that is not named is as it is
 * now), or a time (`2026-11-17T09:00:00Z`).
 * @throws RangeError where it is none of these
 */
export function parseState(text: string): NamedState {
  const name = text.trim();
  if (name === 'now') return { name, past: { position: {} } };
  if (/^\d{1,15}$/.test(name)) return { name, past: { untilSequence: Number(name) } };
  if (name.includes('=')) {
    const position = parsePosition(name);
    const wrong = Object.keys(position ?? {}).find((stream) => stream !== 'INGEST' && stream !== 'PLAYBOOKS');
    if (position === undefined || wrong !== undefined)
      throw new RangeError(`"${name}" is no position of INGEST and PLAYBOOKS, such as INGEST=4031,PLAYBOOKS=12`);
    return { name, past: { position } };
  }
  const asOfMs = Date.parse(name);
  if (Number.isNaN(asOfMs)) throw new RangeError(`"${name}" is no time, sequence or position`);
  return { name, past: { asOfMs } };
}

/** The moment that a name means. No stream is read further than it is now. */
export async function momentOfState(connection: LogConnection, { past }: NamedState): Promise<Moment> {
  if (!('position' in past)) return momentOf(connection, past);
  const [ingest, playbooks] = await Promise.all(
    (['INGEST', 'PLAYBOOKS'] as const).map(async (stream) => {
      const { lastSequence } = await readStreamState(connection, stream);
      return Math.min(past.position[stream] ?? lastSequence, lastSequence);
    }),
  );
  return { version: ingest ?? 0, playbooks: playbooks ?? 0 };
}
