import { decodeEvent } from '../../../schemas/decode.ts';
import type { PlaybookData } from '../../../schemas/events/playbook.ts';
import type { LoggedSearch } from '../../../schemas/events/search-log.ts';
import { appendBytes } from '../../../streams/append.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import { readStream } from '../../../streams/read-stream.ts';
import { readLastMessage } from '../../../streams/stream-reader.ts';
import { subjectOf } from '../../../streams/subjects.ts';
import type { EvidenceStem } from '../evidence/sources.ts';
import { choiceRow, observerRow, playbookRow, retractionRow } from './rows.ts';

/** A record follows a search where it comes within so long. */
export const choiceWindowMs = 3_600_000;

/** Records whose searches are looked for together, SEARCHES being read once for each such batch. */
const recordsTogetherMax = 5_000;

/** Rows that were appended, by stem. */
export type Gathered = Readonly<
  Record<'playbook_records' | 'playbook_retractions' | 'search_choices' | 'observer_events', number>
>;

/**
 * Appends to EVIDENCE what this system saw of itself since the last time: playbooks recorded and retracted, searches that a
 * record followed, and events that others reported to the observer. SEARCHES and OBSERVATIONS are windows: what has left
 * them before it was gathered is not told.
 * @param ownSources sources of observations that are this system's own processes
 */
export async function gatherOwnLife(connection: LogConnection, ownSources: ReadonlySet<string>): Promise<Gathered> {
  const [records, retractions, choices] = [
    await openStem(connection, 'playbook_records'),
    await openStem(connection, 'playbook_retractions'),
    await openStem(connection, 'search_choices'),
  ];
  let recorded: Recorded[] = [];
  const choose = async () => {
    await gatherChoices(connection, choices, recorded);
    recorded = [];
  };
  // Choices come behind the records of their batch: where an earlier gathering ended in between, they are looked for now.
  const told = Math.max(records.lastSequence(), retractions.lastSequence());
  const from = Math.min(told, choices.lastSequence()) + 1;
  for await (const { sequence, payload, storedAtMs } of readStream(connection, 'PLAYBOOKS', { from })) {
    const decoded = decodeEvent('PLAYBOOKS', payload);
    if (!decoded.ok) continue;
    const recordedAt = new Date(storedAtMs).toISOString();
    if (decoded.event.type === 'lakehouse.playbook') {
      const { playbook_id, entry } = decoded.event.data;
      if (sequence > told) await records.append(playbookRow(decoded.event.data, sequence, recordedAt), sequence);
      recorded.push({ data: { playbook_id, entry }, sequence, storedAtMs });
      if (recorded.length >= recordsTogetherMax) await choose();
    } else if (sequence > told)
      await retractions.append(retractionRow(decoded.event.data, sequence, recordedAt), sequence);
  }
  await choose();
  return {
    playbook_records: records.appended(),
    playbook_retractions: retractions.appended(),
    search_choices: choices.appended(),
    observer_events: await gatherEvents(connection, ownSources),
  };
}

/** A record without its vector: many are held at once. */
interface Recorded {
  readonly data: Pick<PlaybookData, 'playbook_id' | 'entry'>;
  readonly sequence: number;
  readonly storedAtMs: number;
}

/** The last search with the same words before each record; only searches that a record may have followed are kept. */
async function gatherChoices(
  connection: LogConnection,
  choices: OpenStem,
  recorded: readonly Recorded[],
): Promise<void> {
  const fresh = recorded.filter(({ sequence }) => sequence > choices.lastSequence());
  if (fresh.length === 0) return;
  const wanted = new Map<string, Recorded[]>();
  for (const one of fresh) {
    const alike = wanted.get(one.data.entry.query_text);
    if (alike === undefined) wanted.set(one.data.entry.query_text, [one]);
    else alike.push(one);
  }
  const followed = new Map<number, LoggedSearch>();
  for await (const { payload } of readStream(connection, 'SEARCHES')) {
    const decoded = decodeEvent('SEARCHES', payload);
    if (!decoded.ok) continue;
    for (const search of decoded.event.data.searches) {
      const searchedMs = Date.parse(search.searched_at);
      for (const { sequence, storedAtMs, data } of wanted.get(search.query_text ?? '') ?? []) {
        const inTime = searchedMs <= storedAtMs && storedAtMs - searchedMs <= choiceWindowMs;
        const inCorpus =
          search.results.length === 0 || search.results.some(({ corpus }) => corpus === data.entry.answer_corpus);
        const earlier = followed.get(sequence);
        if (inTime && inCorpus && (earlier === undefined || Date.parse(earlier.searched_at) <= searchedMs))
          followed.set(sequence, search);
      }
    }
  }
  for (const { sequence, data } of fresh) {
    const search = followed.get(sequence);
    if (search !== undefined) await choices.append(choiceRow(data, sequence, search), sequence);
  }
}

async function gatherEvents(connection: LogConnection, ownSources: ReadonlySet<string>): Promise<number> {
  const events = await openStem(connection, 'observer_events');
  for await (const { sequence, payload } of readStream(connection, 'OBSERVATIONS', {
    from: events.lastSequence() + 1,
  })) {
    const decoded = decodeEvent('OBSERVATIONS', payload);
    if (!decoded.ok || ownSources.has(decoded.event.data.source)) continue;
    for (const [index, operation] of decoded.event.data.operations.entries())
      await events.append(observerRow(operation, sequence, index), sequence);
  }
  return events.appended();
}

interface OpenStem {
  /** Of the event that the last row was made of; 0 where there is none. */
  readonly lastSequence: () => number;
  append(row: object, sequence: number): Promise<void>;
  readonly appended: () => number;
}

/** Rows of a stem are appended by one writer at a time: each demands that the one before it is the last. */
async function openStem(connection: LogConnection, stem: EvidenceStem): Promise<OpenStem> {
  const subject = subjectOf('lakehouse.evidence', { stem });
  const last = await lastRow(connection, subject);
  let subjectSequence = last?.subjectSequence ?? 0;
  let [rows, appended] = [0, 0];
  return {
    lastSequence: () => last?.sequence ?? 0,
    append: async (row, sequence) => {
      const payload = Buffer.from(JSON.stringify(row), 'utf8');
      const messageId = `own:${stem}:${sequence}:${rows++}`;
      subjectSequence = (await appendBytes(connection, subject, payload, { messageId }, subjectSequence)).sequence;
      appended++;
    },
    appended: () => appended,
  };
}

async function lastRow(
  connection: LogConnection,
  subject: string,
): Promise<{ sequence: number; subjectSequence: number } | undefined> {
  const last = await readLastMessage(connection, 'EVIDENCE', subject);
  if (last === undefined) return undefined;
  const row: unknown = JSON.parse(Buffer.from(last.payload).toString('utf8'));
  if (typeof row !== 'object' || row === null || !('sequence' in row) || typeof row.sequence !== 'number')
    throw new Error(`the last row of ${subject} tells no sequence: somebody else appended it`);
  return { sequence: row.sequence, subjectSequence: last.sequence };
}
