import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { type DeadLetter, type DeadLetterFold, foldDeadLetters } from '../../streams/rejections.ts';
import { readRow, readShownPayload } from './payload.ts';
import { type Selection, select } from './select.ts';
import { askRetries, dropLetters, type Settled, waitSettled, whyNotRetried } from './settle.ts';
import { isoOf, letterText, listText, settledText } from './text.ts';

export const rejectedActions = ['list', 'show', 'retry', 'drop'] as const;
export type RejectedAction = (typeof rejectedActions)[number];

export interface ActOptions {
  readonly connection: LogConnection;
  readonly action: RejectedAction;
  readonly selection: Selection;
  /** How many a list shows. */
  readonly limit: number;
  /** How long answers to retries are waited for. */
  readonly waitMs: number;
  /** Why they are let go. */
  readonly because: string;
}

export type Acted =
  | { readonly kind: 'absent'; readonly id: number }
  | { readonly kind: 'done'; readonly document: object; readonly text: string; readonly failed: boolean };

const quiet: RuntimeLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Reads REJECTED to its end and does what is asked with those that are meant. */
export async function actOn(options: ActOptions): Promise<Acted> {
  let listener = () => {};
  const fold = foldDeadLetters(options.connection, 'command', quiet, () => listener());
  try {
    await fold.projector.caughtUp;
    return await act(options, fold, (next) => {
      listener = next;
    });
  } finally {
    await fold.projector.stop();
  }
}

async function act(
  options: ActOptions,
  fold: DeadLetterFold,
  onChange: (listener: () => void) => void,
): Promise<Acted> {
  const { connection, action, selection, limit, because } = options;
  const found = select(fold.letters.all(), selection);
  if (selection.id !== undefined && found.length === 0) return { kind: 'absent', id: selection.id };
  if (action === 'show') return show(connection, found[0]);
  if (action === 'list') {
    const shown = found.slice(-limit);
    const document = { found: found.length, counts: fold.letters.counts(), rejected: shown.map(rowOf) };
    return { kind: 'done', document, text: listText(shown, found.length), failed: false };
  }
  const settled =
    action === 'drop' ? await dropLetters(connection, found, because) : await retry(options, found, fold, onChange);
  const failed = settled.some(({ outcome }) => outcome === 'rejected_again' || outcome === 'not_retried');
  const waiting = settled.filter(({ outcome }) => outcome === 'retrying' || outcome === 'waiting').length;
  const note = waiting === 0 ? '' : `\n${waiting} not answered yet: the worker takes them when it runs`;
  return { kind: 'done', document: { settled }, text: `${settledText(settled)}${note}`, failed };
}

async function retry(
  { connection, waitMs }: ActOptions,
  found: readonly DeadLetter[],
  fold: DeadLetterFold,
  onChange: (listener: () => void) => void,
): Promise<Settled[]> {
  const refused = await askRetries(connection, found);
  const asked = found.filter((letter) => whyNotRetried(letter) === undefined);
  const deadline = new AbortController();
  void connection.clock.sleep(waitMs, deadline.signal).then(() => deadline.abort());
  const answered = await waitSettled(fold, asked, onChange, deadline.signal);
  deadline.abort();
  return [...refused, ...answered].sort((one, other) => one.id - other.id);
}

async function show(connection: LogConnection, letter: DeadLetter | undefined): Promise<Acted> {
  if (letter === undefined) throw new Error('"show" was asked without an id');
  const row = await readRow(connection, letter);
  const payload = row === undefined ? undefined : await readShownPayload(connection, row);
  const trace = { trace_id: row?.traceId ?? null, traceparent: row?.traceparent ?? null };
  const document = { ...rowOf(letter), message: row?.message ?? letter.message, ...trace, ...payload };
  return { kind: 'done', document, text: letterText(letter, row, payload), failed: false };
}

/** A dead letter as it is written for programs. */
function rowOf({ rejectedAtMs: _, ...letter }: DeadLetter): object {
  return { ...letter, rejected_at: isoOf({ ...letter, rejectedAtMs: _ }) };
}
