import type { StreamName } from '../../schemas/catalog.ts';
import { parsePosition, positionHeader } from '../../schemas/position.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { inspectStream, type StreamStatus } from '../../streams/inspect.ts';
import type { ServiceClient } from '../../streams/service-client.ts';
import { fullShare } from '../../streams/stream-watch.ts';
import { gatewayLimits } from '../limits.ts';
import { emptyBody } from '../replies.ts';
import type { PipelineState, StageState } from './pipeline.ts';

/**
 * Looks at the streams that a document passes, from front to back, and at the index worker behind them.
 * @throws Error where one of them is not there, or the server does not answer
 */
export async function readPipeline(
  connection: LogConnection,
  client: Pick<ServiceClient, 'request'>,
): Promise<PipelineState> {
  const ingest = await existing(connection, 'INGEST');
  const documents = await existing(connection, 'DOCUMENTS');
  const vectors = await existing(connection, 'VECTORS');
  const answer = await client.request('svc.index.info', emptyBody, { deadlineMs: gatewayLimits.readyDeadlineMs });
  const position = answer.status === 200 ? parsePosition(answer.headers[positionHeader] ?? '') : undefined;
  const [fullest = ingest] = [ingest, documents, vectors].sort((one, other) => fullShare(other) - fullShare(one));
  return {
    ingest: stageOf(ingest, 'ingest'),
    embed: stageOf(documents, 'embed'),
    vectors: {
      lastSequence: vectors.lastSequence,
      foldedTo: position === undefined ? undefined : (position.VECTORS ?? 0),
    },
    fullest: { stream: fullest.name, share: fullShare(fullest) },
  };
}

async function existing(connection: LogConnection, name: StreamName): Promise<StreamStatus> {
  const status = await inspectStream(connection, name);
  if (status === undefined) throw new Error(`there is no stream ${name}`);
  return status;
}

/** Without its consumer nobody has worked on a stream yet. */
function stageOf({ lastSequence, messages, consumers }: StreamStatus, durable: string): StageState {
  const consumer = consumers.find(({ name }) => name === durable);
  if (consumer === undefined) return { lastSequence, workedTo: 0, pending: messages };
  const pending = consumer.pending + consumer.ackPending;
  // The consumer was asked after the stream: nothing pending means that all of it was worked on.
  return { lastSequence, workedTo: pending === 0 ? lastSequence : consumer.ackFloor, pending };
}
