import { AckPolicy, type ConsumerConfig, type ConsumerInfo, DeliverPolicy, NatsError, ReplayPolicy } from 'nats';
import type { LogConnection } from './connection.ts';
import { nanos } from './durations.ts';
import type { RuntimeLog } from './logger.ts';
import type { ConsumerDeclaration } from './transport.ts';

const consumerNotFound = 10014;

/** Settings that must not be there: each would keep messages from the worker without a word. */
const absentFields = ['filter_subject', 'filter_subjects', 'headers_only', 'pause_until'] as const;

/**
 * Makes the durable consumer of a reactor, or brings it to its declaration. One that can not be changed to it is made
 * anew: its messages come again from the first, which changes nothing but costs their work.
 * @throws NatsError where the server does not answer or the stream is not there
 */
export async function ensureConsumer(
  connection: Pick<LogConnection, 'manager'>,
  declaration: ConsumerDeclaration,
  log: RuntimeLog,
): Promise<void> {
  const { consumers } = connection.manager;
  const { durable } = declaration;
  const { stream } = declaration.delivery;
  const existing = await readConsumer(connection, stream, durable);
  const declared = { ...consumerConfig(declaration), ...startOf(existing?.config) };
  if (existing === undefined) {
    await consumers.add(stream, declared);
    return;
  }
  const drift = driftOf(declared, existing.config);
  if (drift.length === 0) return;
  log.warn({ stream, consumer: durable, drift }, 'the consumer differs from its declaration; mending it');
  const updated = await consumers
    .update(stream, durable, { ...existing.config, ...declared })
    .catch((error: unknown) => ({ error }));
  if ('config' in updated && driftOf(declared, updated.config).length === 0) return;
  log.warn({ stream, consumer: durable, drift }, 'the consumer can not be mended; making it anew');
  await consumers.delete(stream, durable);
  await consumers.add(stream, declared);
}

/** Set on consumers that were made anew behind what they had finished, and on no other. */
const restartedDescription = 'begins behind what was finished before it stalled';

/** Where a consumer begins that was made anew on purpose; any other begins as declared. */
function startOf(config: ConsumerConfig | undefined): Partial<ConsumerConfig> {
  if (config?.description !== restartedDescription || config.opt_start_seq === undefined) return {};
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: config.opt_start_seq };
}

/**
 * Makes the durable consumer of a reactor anew behind its ack floor: messages that an instance took and will never finish
 * are delivered to another one. What a living instance has in work is delivered again too, which changes nothing.
 * @throws NatsError where the server does not answer or there is none
 */
export async function restartConsumer(
  { manager }: Pick<LogConnection, 'manager'>,
  declaration: ConsumerDeclaration,
): Promise<number> {
  const { durable, delivery } = declaration;
  const { ack_floor } = await manager.consumers.info(delivery.stream, durable);
  const sequence = ack_floor.stream_seq + 1;
  await manager.consumers.delete(delivery.stream, durable);
  await manager.consumers.add(delivery.stream, {
    ...consumerConfig(declaration),
    description: restartedDescription,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: sequence,
  });
  return sequence;
}

function consumerConfig({ durable, delivery, filterSubject }: ConsumerDeclaration): Partial<ConsumerConfig> {
  return {
    durable_name: durable,
    ...(filterSubject === undefined ? {} : { filter_subject: filterSubject }),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    ack_wait: nanos(delivery.ackWaitMs),
    max_ack_pending: delivery.ackPendingMax,
    max_deliver: -1,
  };
}

/** Deletes a durable consumer; one that is not there is none to delete. */
export async function deleteConsumer(connection: LogConnection, stream: string, durable: string): Promise<void> {
  if ((await readConsumer(connection, stream, durable)) === undefined) return;
  await connection.manager.consumers.delete(stream, durable).catch((error: unknown) => {
    if (!(error instanceof NatsError && error.api_error?.err_code === consumerNotFound)) throw error;
  });
}

/** Every message of the stream up to here is acknowledged by a durable consumer; 0 where it is not there. */
export async function readAckFloor(connection: LogConnection, stream: string, durable: string): Promise<number> {
  return (await readConsumer(connection, stream, durable))?.ack_floor.stream_seq ?? 0;
}

async function readConsumer(
  connection: Pick<LogConnection, 'manager'>,
  stream: string,
  durable: string,
): Promise<ConsumerInfo | undefined> {
  try {
    return await connection.manager.consumers.info(stream, durable);
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === consumerNotFound) return undefined;
    throw error;
  }
}

/** `field is found, declared value`, for each field that differs. */
function driftOf(declared: Partial<ConsumerConfig>, config: ConsumerConfig): string[] {
  const found = config as unknown as Record<string, unknown>;
  const wanted: [string, unknown][] = [
    ...absentFields.map((field): [string, unknown] => [field, undefined]).filter(([field]) => !(field in declared)),
    ...Object.entries(declared),
  ];
  return wanted
    .filter(([field, value]) => (found[field] || undefined) !== (value || undefined))
    .map(([field, value]) => `${field} is ${found[field]}, declared ${value}`);
}
