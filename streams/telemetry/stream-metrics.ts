import type { StreamName } from '../../schemas/catalog.ts';
import type { ConsumerStatus, StreamStatus } from '../inspect.ts';
import type { RuntimeConnection } from '../transport.ts';
import { type Metrics, readGauge, type Sample } from './metrics.ts';

type OfStream = (status: StreamStatus) => number;
type OfConsumer = (status: ConsumerStatus) => number;

/** Names and labels are those of the NATS Prometheus exporter, so that its dashboards and alerts fit. */
const streamGauges: readonly { readonly name: string; readonly help: string; readonly value: OfStream }[] = [
  { name: 'jetstream_stream_total_messages', help: 'Messages in a stream', value: ({ messages }) => messages },
  { name: 'jetstream_stream_total_bytes', help: 'Bytes stored in a stream', value: ({ bytes }) => bytes },
  { name: 'jetstream_stream_limit_bytes', help: 'Byte limit of a stream', value: ({ bytesMax }) => bytesMax },
  { name: 'jetstream_stream_first_seq', help: 'First sequence of a stream', value: (one) => one.firstSequence },
  { name: 'jetstream_stream_last_seq', help: 'Last sequence of a stream', value: (one) => one.lastSequence },
];

const consumerGauges: readonly { readonly name: string; readonly help: string; readonly value: OfConsumer }[] = [
  {
    name: 'jetstream_consumer_num_pending',
    help: 'Messages that a consumer was not given yet',
    value: ({ pending }) => pending,
  },
  {
    name: 'jetstream_consumer_num_ack_pending',
    help: 'Messages that were given and are not acknowledged yet',
    value: ({ ackPending }) => ackPending,
  },
  {
    name: 'jetstream_consumer_num_redelivered',
    help: 'Messages that were given more than once and are not acknowledged yet',
    value: ({ redelivered }) => redelivered,
  },
];
const consumerLabels = ['stream_name', 'consumer_name'];

type Streams = readonly StreamStatus[];

/** Every stream and its durable consumers. `all` is asked once for each metric of a scrape: see `together`. */
export function tellOfStreams(metrics: Metrics, all: () => Promise<Streams>): void {
  for (const { name, help, value } of streamGauges) {
    const samples = async () => (await all()).map((one) => ({ labels: { stream_name: one.name }, value: value(one) }));
    readGauge(metrics, { name, help, labelNames: ['stream_name'], read: samples });
  }
  tellOfConsumers(metrics, async () =>
    (await all()).flatMap(({ name, consumers }) => consumers.map((consumer) => ({ stream: name, consumer }))),
  );
}

/** The one consumer that a reactor works for. */
export function tellOfConsumer(connection: RuntimeConnection, stream: StreamName, durable: string): void {
  const read = together(async () => [{ stream, consumer: await connection.transport.consumerStatus(stream, durable) }]);
  tellOfConsumers(connection.telemetry.metrics, read);
}

type Consumers = readonly { readonly stream: StreamName; readonly consumer: ConsumerStatus }[];

function tellOfConsumers(metrics: Metrics, read: () => Promise<Consumers>): void {
  for (const { name, help, value } of consumerGauges) {
    const samples = async (): Promise<Sample[]> =>
      (await read()).map(({ stream, consumer }) => ({
        labels: { stream_name: stream, consumer_name: consumer.name },
        value: value(consumer),
      }));
    readGauge(metrics, { name, help, labelNames: consumerLabels, read: samples });
  }
}

/** All gauges of one scrape are read in the same turn: they share one question to the server. */
export function together<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let asking: Promise<Value> | undefined;
  return () => {
    asking ??= read().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}
