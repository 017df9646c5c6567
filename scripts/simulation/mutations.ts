import type { EventData, StreamName } from '../../schemas/catalog.ts';
import type { Decision, ReactorHandlers } from '../../streams/reactor.ts';
import type { LogTransport } from '../../streams/transport.ts';
import type { Mutation } from '../chaos/fault-row.ts';
import type { ProcessKind } from './processes.ts';

/** A guard that is taken away by a test double, so that the simulator shows that it would see that. */
export interface SimulatedMutation extends Mutation {
  readonly transport?: (transport: LogTransport, kind: ProcessKind) => LogTransport;
  readonly ingest?: (handlers: ReactorHandlers<'ingest'>) => ReactorHandlers<'ingest'>;
  readonly checkpointAhead?: number;
}

export const simulatedMutations: readonly SimulatedMutation[] = [
  {
    name: 'no-compare-and-set',
    breaks: 'what was read as the newest of a subject is not expected of it any more when it is written',
    transport: (transport) => ({
      ...transport,
      publish: (publication) => transport.publish({ ...publication, lastSubjectSequence: undefined }),
    }),
  },
  {
    name: 'ack-before-publish-ack',
    breaks: 'a message is acknowledged before the log has answered to what was made of it',
    transport: (transport, kind) => ({
      ...transport,
      publish: async (publication) => {
        const answered = transport.publish(publication);
        if (kind !== 'ingest' && kind !== 'embed') return answered;
        answered.catch(() => undefined);
        return { sequence: 0, duplicate: false };
      },
    }),
  },
  {
    name: 'checkpoint-ahead',
    breaks: 'the checkpoint of a snapshot lies one event behind the state that it was taken of',
    checkpointAhead: 1,
  },
  {
    name: 'versions-ignored',
    breaks: 'of two states of a document the one that arrives last wins, whatever its version',
    ingest: (handlers) => ({ ...handlers, 'lakehouse.ingest': withoutVersions(handlers['lakehouse.ingest']) }),
  },
  {
    name: 'window-trusted',
    breaks: 'what is set aside twice is left to the window of message ids, not to what lies on its subject',
    transport: (transport) => ({
      ...transport,
      newest: (stream, subject, fromLeader) =>
        stream === 'REJECTED' ? Promise.resolve(undefined) : transport.newest(stream, subject, fromLeader),
      publish: (publication) =>
        publication.subject.startsWith('rejected.')
          ? transport.publish({ ...publication, lastSubjectSequence: undefined })
          : transport.publish(publication),
    }),
  },
  {
    name: 'gaps-ignored',
    breaks:
      'a fold does not notice that a message is missing, by the numbers of its consumer or by those of the stream',
    transport: gapsIgnored,
  },
];

function gapsIgnored(transport: LogTransport): LogTransport {
  /** Up to here what the leader would name as missing is not told. */
  const given = new Map<StreamName, number>();
  return {
    ...transport,
    nextSequence: (stream, sequence, subject) => {
      const last = given.get(stream) ?? 0;
      return sequence <= last ? Promise.resolve(last) : transport.nextSequence(stream, sequence, subject);
    },
    openOrdered: async (stream, start) => {
      const source = await transport.openOrdered(stream, start);
      let delivered = 0;
      const messages = (async function* () {
        for await (const message of source.messages) {
          given.set(stream, message.seq);
          yield { ...message, info: { ...message.info, deliverySequence: ++delivered } };
        }
      })();
      return { ...source, messages };
    },
  };
}

type IngestHandler = ReactorHandlers<'ingest'>['lakehouse.ingest'];
type DocumentData = EventData<'lakehouse.document'>;

function withoutVersions(handler: IngestHandler): IngestHandler {
  return async (event, context): Promise<Decision> => {
    const decision = await handler(event, context);
    if (decision.kind !== 'append') return decision;
    const events = decision.events.map((planned) => {
      if (planned.name !== 'lakehouse.document' || !('decide' in planned)) return planned;
      const spoken = planned.decide(undefined);
      return { ...planned, decide: (newest: DocumentData | undefined) => joinAsTheyCome(newest, spoken) };
    });
    return { kind: 'append', events };
  };
}

function joinAsTheyCome(newest: DocumentData | undefined, spoken: DocumentData | undefined): DocumentData | undefined {
  if (newest === undefined || spoken === undefined) return spoken;
  const content = spoken.content.version > 0 ? spoken.content : newest.content;
  const metadata = spoken.metadata.version > 0 ? spoken.metadata : newest.metadata;
  return { ...newest, content, metadata };
}
