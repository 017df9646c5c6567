import type { EventData } from '../../schemas/catalog.ts';
import type { DecodedEvent } from '../../schemas/envelope.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { append, ConflictError, readNewestEvent } from '../../streams/append.ts';
import type { Decision, MessageContext } from '../../streams/reactor.ts';
import { subjectOf } from '../../streams/subjects.ts';
import type { RuntimeConnection } from '../../streams/transport.ts';
import type { CorpusSpace } from '../corpus-spaces/corpus-spaces.ts';
import type { EmbedQueries } from '../query-vectors/embed-query.ts';

type Recording = DecodedEvent<'lakehouse.playbook', EventData<'lakehouse.playbook'>>;

export interface CopyPorts {
  readonly connection: RuntimeConnection;
  readonly embedQueries: EmbedQueries;
}

const embedDeadlineMs = 30_000;

/**
 * Copies a recording into a space that the corpus of its answer is held in: the same entry, its query embedded there. Only
 * the newest recording of a playbook that was not retracted is copied, by compare-and-set on its subject, so that neither
 * an older one nor one that was taken back comes to life.
 */
export async function copyRecording(
  { data }: Recording,
  { sequence, traceId, traceparent }: MessageContext,
  { corpus, space }: CorpusSpace,
  { connection, embedQueries }: CopyPorts,
): Promise<Decision> {
  if (data.entry.answer_corpus !== corpus) return { kind: 'skip', reason: 'its answer is of another corpus' };
  if (data.copy_of !== undefined || data.space === space) return { kind: 'skip', reason: 'nothing to copy' };
  const tokens = { corpus: data.corpus, key: data.playbook_id };
  const newest = await readNewestEvent(connection, 'PLAYBOOKS', subjectOf('lakehouse.playbook', tokens), true);
  if (newest === undefined || !isOf(newest, sequence, space)) return { kind: 'skip', reason: 'superseded, or done' };
  try {
    const { vectors } = await embedQueries([data.entry.query_text], {
      deadlineMs: embedDeadlineMs,
      space,
      traceId,
      traceparent,
    });
    const [vector] = vectors;
    if (vector === undefined) throw new Error('no vector came for the query of a playbook');
    const copy = { ...data, space, vector: encodeVector(vector), copy_of: sequence };
    const messageId = `playbook-in:${space}:${sequence}`;
    const source = 'playbook-worker';
    const options = { messageId, source, traceId, traceparent, lastSubjectSequence: newest.sequence };
    await append(connection, 'lakehouse.playbook', tokens, copy, options);
    return { kind: 'skip', reason: 'copied' };
  } catch (error) {
    if (error instanceof ConflictError)
      return { kind: 'retry', reason: 'something was said of the playbook meanwhile' };
    if (!(error instanceof ProblemError)) throw error;
    if (error.problem.code === 'text_refused') return { kind: 'skip', reason: error.message };
    return { kind: 'retry', reason: error.message };
  }
}

/** As `copyRecording`, into every space that the corpus is held in: for a recording that is taken again. */
export async function copyIntoAll(
  recording: Recording,
  context: MessageContext,
  held: readonly CorpusSpace[],
  ports: CopyPorts,
): Promise<Decision> {
  const copied: Decision[] = [];
  for (const of of held.filter(({ corpus }) => corpus === recording.data.entry.answer_corpus))
    copied.push(await copyRecording(recording, context, of, ports));
  const waits = copied.find(({ kind }) => kind === 'retry');
  return waits ?? { kind: 'skip', reason: `looked at for ${copied.length} spaces` };
}

/** Whether the newest word of a playbook is this recording or a copy of it for another space. */
function isOf(
  { sequence, event }: NonNullable<Awaited<ReturnType<typeof readNewestEvent<'PLAYBOOKS'>>>>,
  recording: number,
  space: string,
): boolean {
  if (event.type !== 'lakehouse.playbook') return false;
  return sequence === recording || (event.data.copy_of === recording && event.data.space !== space);
}
