import { type ClusterInfo, type ConsumerInfo, NatsError } from 'nats';
import { type StreamName, streamNames } from '../schemas/catalog.ts';
import type { LogConnection } from './connection.ts';

export interface ConsumerStatus {
  readonly name: string;
  /** Messages of the stream that it was not given yet. */
  readonly pending: number;
  readonly ackPending: number;
  /** Deliveries so far, those again included. */
  readonly delivered: number;
  /** Every message of the stream up to here is acknowledged. */
  readonly ackFloor: number;
  /** Messages that were delivered more than once and are not acknowledged yet. */
  readonly redelivered: number;
}

export interface StreamStatus {
  readonly name: StreamName;
  readonly messages: number;
  readonly bytes: number;
  /** The byte limit; a log refuses when it is reached, a window lets its oldest go. */
  readonly bytesMax: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Null for a stream that one server keeps alone. */
  readonly replication: StreamReplication | null;
  /** Durable consumers only: those of projectors come and go. */
  readonly consumers: readonly ConsumerStatus[];
}

/** Where a stream is led, and how the others follow. */
export interface StreamReplication {
  /** The server that takes appends; null while none is elected. */
  readonly leader: string | null;
  /** The servers beside the leader. */
  readonly followers: readonly { readonly name: string; readonly current: boolean; readonly offline: boolean }[];
}

const streamNotFound = 10059;

/**
 * What the server says of every declared stream; one that is not there is undefined.
 * @throws NatsError where the server does not answer, or this user may not ask
 */
export async function inspectStreams(connection: LogConnection): Promise<Map<StreamName, StreamStatus | undefined>> {
  const found = await Promise.all(streamNames.map((name) => inspectStream(connection, name)));
  return new Map(streamNames.map((name, at) => [name, found[at]]));
}

/** What the server says of one stream and then of its consumers; undefined where it is not there. @throws NatsError as above */
export async function inspectStream(connection: LogConnection, name: StreamName): Promise<StreamStatus | undefined> {
  try {
    const { config, state, cluster } = await connection.manager.streams.info(name);
    const { messages, bytes, first_seq: firstSequence, last_seq: lastSequence } = state;
    const consumers = await inspectConsumers(connection, name);
    const replication = config.num_replicas > 1 ? replicationOf(cluster) : null;
    return { name, messages, bytes, bytesMax: config.max_bytes, firstSequence, lastSequence, replication, consumers };
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === streamNotFound) return undefined;
    throw error;
  }
}

function replicationOf(cluster: ClusterInfo | undefined): StreamReplication {
  const followers = (cluster?.replicas ?? []).map(({ name, current, offline }) => {
    return { name, current, offline: offline === true };
  });
  return { leader: cluster?.leader ?? null, followers };
}

async function inspectConsumers(connection: LogConnection, stream: StreamName): Promise<ConsumerStatus[]> {
  const durable: ConsumerStatus[] = [];
  for await (const consumer of connection.manager.consumers.list(stream)) {
    if (consumer.config.durable_name === undefined) continue;
    durable.push(statusOf(consumer.config.durable_name, consumer));
  }
  return durable;
}

/** What the server says of one durable consumer. @throws NatsError where it is not there or the server does not answer */
export async function inspectConsumer(
  { manager }: Pick<LogConnection, 'manager'>,
  stream: StreamName,
  durable: string,
): Promise<ConsumerStatus> {
  return statusOf(durable, await manager.consumers.info(stream, durable));
}

function statusOf(name: string, info: ConsumerInfo): ConsumerStatus {
  const { num_pending: pending, num_ack_pending: ackPending, num_redelivered: redelivered } = info;
  const { ack_floor, delivered } = info;
  return {
    name,
    pending,
    ackPending,
    delivered: delivered.consumer_seq,
    ackFloor: ack_floor.stream_seq,
    redelivered,
  };
}
