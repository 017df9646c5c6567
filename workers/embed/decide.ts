import type { EventData } from '../../schemas/catalog.ts';
import type { DecodedEvent } from '../../schemas/envelope.ts';
import type { DocumentContent, DocumentData, VectorData } from '../../schemas/events/document.ts';
import { encodeVector } from '../../schemas/vector.ts';
import type { Decision, MessageContext, PlannedAppend } from '../../streams/reactor.ts';
import type { CorpusSpace } from '../corpus-spaces/corpus-spaces.ts';
import { joinCorpusStates } from '../documents/corpus-state.ts';
import { joinVectorStates } from '../documents/vector-state.ts';
import { EmbedderError } from './embedder.ts';

type DocumentEvent = DecodedEvent<'lakehouse.document', EventData<'lakehouse.document'>>;
type VectorContent = NonNullable<VectorData['content']['value']>;

export interface EmbedPorts {
  readonly newestVector: (space: string, corpus: string, id: string) => Promise<VectorData | undefined>;
  /** What makes vectors of a space, given in its written form; undefined where no embedder here does. */
  readonly embedderOf: (space: string) => EmbedText | undefined;
  /** The vector of a text in a space, where it is at hand. */
  readonly remembered: (space: string, text: string) => Embedded | undefined;
  /**
   * Whether what VECTORS holds of the document is to be read, joined with and replaced by compare-and-set. Else the state is
   * appended as it is: folds join it by its versions, whatever it comes before or behind.
   */
  readonly joins: (sequence: number) => boolean;
}

export interface Embedded {
  readonly vector: Float32Array;
  readonly truncated: boolean;
}

export type EmbedText = (text: string, signal: AbortSignal) => Promise<Embedded>;

/**
 * Turns the state of a document into vectors: its content in its space, and its absence in every other space that it was
 * ever in. Content whose vector is remembered or on VECTORS already, or that brought its own, costs no embedding. The log
 * is read only for a text that is not remembered: nats-server would keep the surroundings of every message that is asked for.
 */
export async function decideEmbed(event: DocumentEvent, context: MessageContext, ports: EmbedPorts): Promise<Decision> {
  const document = event.data;
  const { content } = document;
  const states = document.former_spaces.map((space) => stateIn(document, space, null));
  if (content.value !== null) {
    const made = await vectorContent(document, content.value, context, ports);
    if ('kind' in made) return made;
    states.push(stateIn(document, content.value.space, made));
  }
  const { sequence } = context;
  const joins = ports.joins(sequence);
  const events = states.map((state, item) => planVector(state, `vector:${sequence}:${item}`, joins));
  return { kind: 'append', events };
}

/** What is said of a corpus goes on to the indexes, whatever becomes of its documents. */
export function decideCorpus(
  { data }: DecodedEvent<'lakehouse.corpus', EventData<'lakehouse.corpus'>>,
  { sequence }: MessageContext,
): Decision {
  return {
    kind: 'append',
    events: [
      {
        name: 'lakehouse.vector-corpus',
        tokens: { corpus: data.corpus },
        messageId: `vector-corpus:${sequence}`,
        decide: (newest) => joinCorpusStates(newest, data),
      },
    ],
  };
}

function stateIn(document: DocumentData, space: string, value: VectorContent | null): VectorData {
  const { corpus, id, content, metadata } = document;
  const { version, after } = content;
  return { corpus, id, space, content: { version, ...(after === undefined ? {} : { after }), value }, metadata };
}

async function vectorContent(
  document: DocumentData,
  content: DocumentContent,
  context: MessageContext,
  ports: EmbedPorts,
): Promise<VectorContent | Decision> {
  const { hash, text, space } = content;
  const own = content.metadata === undefined ? {} : { metadata: content.metadata };
  if (content.vector !== null) return { hash, text, vector: content.vector, truncated: false, ...own };
  const remembered = text === null ? undefined : ports.remembered(space, text);
  if (remembered !== undefined)
    return { hash, text, vector: encodeVector(remembered.vector), truncated: remembered.truncated, ...own };
  const newest = await ports.newestVector(space, document.corpus, document.id);
  if (newest?.content.value?.hash === hash) {
    const { vector, truncated } = newest.content.value;
    return { hash, text, vector, truncated, ...own };
  }
  // Set aside, not tried again: as many of them as may be unacknowledged would keep every other document waiting.
  const embed = ports.embedderOf(space);
  if (embed === undefined) {
    const message = `the document is to be in ${space} and no embedder here makes that; name its model in LAKEHOUSE_EMBED_MODELS and retry, or say the document again`;
    return { kind: 'reject', reason: 'space_mismatch', message, version: document.content.version };
  }
  try {
    const { vector, truncated } = await embed(text ?? '', context.signal);
    return { hash, text, vector: encodeVector(vector), truncated, ...own };
  } catch (error) {
    if (!(error instanceof EmbedderError)) throw error;
    if (error.reason !== 'text_refused') return { kind: 'retry', reason: error.message };
    return { kind: 'reject', reason: 'text_refused', message: error.message, version: document.content.version };
  }
}

function planVector(state: VectorData, messageId: string, joins: boolean): PlannedAppend<'lakehouse.vector'> {
  const { space, corpus, id: key } = state;
  const planned = { name: 'lakehouse.vector', tokens: { space, corpus, key }, messageId } as const;
  return joins ? { ...planned, decide: (newest) => joinVectorStates(newest, state) } : { ...planned, data: state };
}

/**
 * The state of a document in a space that its corpus is held in beside the document's own. Whatever the document is in its
 * own space, its version is known here too: as absent where there is no text, or the model refuses it.
 */
export async function decideInSpace(
  event: DocumentEvent,
  context: MessageContext,
  space: string,
  ports: EmbedPorts,
): Promise<Decision> {
  const document = event.data;
  const { value } = document.content;
  if (value?.space === space) return { kind: 'skip', reason: 'it is the own space of the document' };
  let made: VectorContent | Decision | null = null;
  if (value !== null && value.text !== null) {
    made = await vectorContent(document, { ...value, vector: null, space }, context, ports);
    if ('kind' in made && made.kind === 'retry') return made;
  }
  const state = stateIn(document, space, made === null || 'kind' in made ? null : made);
  const { sequence } = context;
  return { kind: 'append', events: [planVector(state, `vector-in:${space}:${sequence}`, ports.joins(sequence))] };
}

/**
 * A document that is taken again: in its own space, and in every one that its corpus is held in beside it, as far as an
 * embedder here makes its vectors.
 */
export async function decideInAll(
  event: DocumentEvent,
  context: MessageContext,
  held: readonly CorpusSpace[],
  ports: EmbedPorts,
): Promise<Decision> {
  const spaces = held.filter(
    ({ corpus, space }) => corpus === event.data.corpus && ports.embedderOf(space) !== undefined,
  );
  const decisions = [await decideEmbed(event, context, ports)];
  for (const { space } of spaces) decisions.push(await decideInSpace(event, context, space, ports));
  const hindrance = decisions.find(({ kind }) => kind === 'retry' || kind === 'reject');
  if (hindrance !== undefined) return hindrance;
  return { kind: 'append', events: decisions.flatMap((one) => (one.kind === 'append' ? one.events : [])) };
}
