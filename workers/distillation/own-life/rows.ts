import type { ObservedOperation } from '../../../schemas/events/observation.ts';
import type { PlaybookData, PlaybookRetracted } from '../../../schemas/events/playbook.ts';
import type { LoggedSearch } from '../../../schemas/events/search-log.ts';

/**
 * What this system saw of itself, as source rows. Everything in them comes from the log, so that a row that is made twice is
 * the same row. `sequence` is the one of the event that it was made of.
 */

export function playbookRow(
  { playbook_id, corpus, entry }: PlaybookData,
  sequence: number,
  recordedAt: string,
): object {
  const { query_text, answer_id, answer_corpus, score, role } = entry;
  return {
    sequence,
    run_id: `playbooks:${sequence}`,
    recorded_at: recordedAt,
    playbook_id,
    corpus,
    query_text,
    answer_id,
    answer_corpus,
    score,
    ...(role === undefined ? {} : { role }),
    text: `For "${query_text}" a person chose ${answer_id} of ${answer_corpus}.`,
  };
}

export function retractionRow(
  { playbook_id, corpus, reason }: PlaybookRetracted,
  sequence: number,
  recordedAt: string,
): object {
  return {
    sequence,
    run_id: `playbooks:${sequence}`,
    recorded_at: recordedAt,
    playbook_id,
    corpus,
    ...(reason === undefined ? {} : { reason }),
    text: `A person took ${playbook_id} back${reason === undefined ? '.' : `: ${reason}`}`,
  };
}

/** A search that a record followed: where the chosen answer stood in it, if it was there at all. */
export function choiceRow(
  { playbook_id, entry }: Pick<PlaybookData, 'playbook_id' | 'entry'>,
  sequence: number,
  search: LoggedSearch,
): object {
  const { query_text, answer_id, answer_corpus } = entry;
  const at = search.results.findIndex(({ id, corpus }) => id === answer_id && corpus === answer_corpus);
  const found = search.results[at];
  const place = found === undefined ? 'it had not found' : `that stood at rank ${at + 1}`;
  return {
    sequence,
    run_id: `choices:${sequence}`,
    searched_at: search.searched_at,
    playbook_id,
    query_text,
    answer_id,
    answer_corpus,
    k: search.results.length,
    ...(found === undefined ? {} : { rank: at + 1, distance: found.distance }),
    text: `After the search "${query_text}" a person chose ${answer_id}, which ${place}.`,
  };
}

export function observerRow(operation: ObservedOperation, sequence: number, index: number): object {
  return { sequence, run_id: `observations:${sequence}:${index}`, ...operation };
}
