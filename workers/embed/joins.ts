import type { LogConnection } from '../../streams/connection.ts';
import { readAckFloor } from '../../streams/durable-consumer.ts';
import { keepsNewestOnly, readStreamState } from '../../streams/stream-reader.ts';
import type { EmbedPorts } from './decide.ts';

/**
 * Which states are joined with what VECTORS holds of their document. To keep the server from reading the surroundings of
 * everything that changes, that is done only where it has to be: always where VECTORS keeps nothing but the newest message
 * of a document, for an older state that came last would be all that is left; and for what DOCUMENTS holds now where a
 * consumer begins at its first message, so that what was done before another one's time is not appended again.
 */
export async function joinsFor(connection: LogConnection, durable: string): Promise<EmbedPorts['joins']> {
  if (await keepsNewestOnly(connection, 'VECTORS')) return () => true;
  const beginsAnew = (await readAckFloor(connection, 'DOCUMENTS', durable)) === 0;
  if (!beginsAnew) return () => false;
  const { lastSequence } = await readStreamState(connection, 'DOCUMENTS');
  return (sequence) => sequence <= lastSequence;
}
