import type { EventData } from '../../schemas/catalog.ts';
import type { DecodedEvent } from '../../schemas/envelope.ts';
import type { DocumentData } from '../../schemas/events/document.ts';
import { corpusSchema } from '../../schemas/primitives.ts';
import type { Space } from '../../schemas/space.ts';
import type { Decision, MessageContext } from '../../streams/reactor.ts';
import { tokenAt } from '../../streams/subjects.ts';
import { joinStates, overrule, spokenState } from '../documents/document-state.ts';

type IngestEvent = DecodedEvent<'lakehouse.ingest', EventData<'lakehouse.ingest'>>;

/**
 * Turns what a producer said into the states of documents. All items of an event or none; of several that speak of one
 * document the last wins. What is appended joins with what is there, so a redelivery, a second worker or an overtaken
 * event changes nothing.
 */
export function decideIngest(event: IngestEvent, context: MessageContext, defaultSpace: Space): Decision {
  const { sequence, subject } = context;
  const corpus = corpusSchema.safeParse(tokenAt(subject, 1));
  if (tokenAt(subject, 0) !== 'ingest' || !corpus.success)
    return {
      kind: 'reject',
      reason: 'invalid_event',
      message: `no document can be said on ${subject}`,
      version: sequence,
    };
  const states = new Map<string, DocumentData>();
  for (const [row, change] of event.data.items.entries()) {
    const spoken = spokenState(change, { corpus: corpus.data, sequence, defaultSpace });
    if (!spoken.ok) {
      const message = `item ${row} (id "${change.id}"): ${spoken.message}`;
      return { kind: 'reject', reason: 'invalid_vector', message, version: sequence };
    }
    const earlier = states.get(change.id);
    states.set(change.id, earlier === undefined ? spoken.state : overrule(earlier, spoken.state));
  }
  const events = [...states.values()].map((state, item) => ({
    name: 'lakehouse.document' as const,
    tokens: { corpus: corpus.data, key: state.id },
    messageId: `document:${sequence}:${item}`,
    decide: (newest: DocumentData | undefined) => joinStates(newest, state),
  }));
  return { kind: 'append', events };
}
