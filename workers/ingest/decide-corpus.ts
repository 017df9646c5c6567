import type { EventData } from '../../schemas/catalog.ts';
import type { DecodedEvent } from '../../schemas/envelope.ts';
import { corpusSchema } from '../../schemas/primitives.ts';
import type { Decision, MessageContext } from '../../streams/reactor.ts';
import { tokenAt } from '../../streams/subjects.ts';
import { joinCorpusStates, spokenCorpus } from '../documents/corpus-state.ts';

type CorpusEvent = DecodedEvent<'lakehouse.corpus-change', EventData<'lakehouse.corpus-change'>>;

/** Turns a declaration or a drop into the state of its corpus. What is appended joins with what is there. */
export function decideCorpus({ data }: CorpusEvent, { sequence, subject }: MessageContext): Decision {
  const corpus = corpusSchema.safeParse(tokenAt(subject, 1));
  if (!corpus.success)
    return {
      kind: 'reject',
      reason: 'invalid_event',
      message: `nothing can be said of a corpus on ${subject}`,
      version: sequence,
    };
  const state = spokenCorpus(data, corpus.data, sequence);
  return {
    kind: 'append',
    events: [
      {
        name: 'lakehouse.corpus',
        tokens: { corpus: corpus.data },
        messageId: `corpus:${sequence}`,
        decide: (newest) => joinCorpusStates(newest, state),
      },
    ],
  };
}
