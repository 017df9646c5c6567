import { deliveries } from '../../schemas/catalog.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { appendResolved, appendRetry } from '../../streams/rejected.ts';
import type { DeadLetter, DeadLetterFold } from '../../streams/rejections.ts';
import { isOpen } from './select.ts';

/** What became of one dead letter, by id. */
export interface Settled {
  readonly id: number;
  readonly outcome: DeadLetter['state'] | 'rejected_again' | 'not_retried';
  readonly detail: string;
}

/** Workers whose messages are taken again by themselves; of a projection, a rebuild reads the log again. */
function isReactor(worker: string): boolean {
  const delivery = Object.entries(deliveries).find(([name]) => name === worker)?.[1];
  return delivery?.mode === 'reactor';
}

/** Whether it can be retried: undefined where it can, else why not, and what to do. */
export function whyNotRetried(letter: DeadLetter): string | undefined {
  if (!isOpen(letter)) return `it is ${letter.state} already`;
  if (isReactor(letter.worker)) return undefined;
  return `${letter.worker} folds ${letter.stream} in order: what it can read now comes in with "lakehouse rebuild"; then drop this`;
}

/** Asks for a retry of each that can be, in the order in which they were set aside. */
export async function askRetries(connection: LogConnection, letters: readonly DeadLetter[]): Promise<Settled[]> {
  const refused: Settled[] = [];
  for (const letter of letters) {
    const why = whyNotRetried(letter);
    if (why !== undefined) refused.push({ id: letter.id, outcome: 'not_retried', detail: why });
    // One that was asked for already is waited for.
    else if (letter.state === 'waiting') await appendRetry(connection, letter, letter.row);
  }
  return refused;
}

/** Waits until each is answered, or so long. Those that are not stay `retrying`: the worker does it when it comes up. */
export async function waitSettled(
  fold: DeadLetterFold,
  asked: readonly DeadLetter[],
  onChange: (listener: () => void) => void,
  signal: AbortSignal,
): Promise<Settled[]> {
  const answers = () => asked.map((letter) => answerOf(letter, fold.letters.find(letter.id)));
  const isDone = () => answers().every(({ outcome }) => outcome !== 'retrying' && outcome !== 'waiting');
  await new Promise<void>((resolve) => {
    const look = () => {
      if (isDone()) resolve();
    };
    onChange(look);
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
    look();
  });
  return answers();
}

/** `waiting` with a newer row than before is a retry that failed. */
function answerOf(before: DeadLetter, now: DeadLetter | undefined): Settled {
  const { id } = before;
  if (now === undefined) return { id, outcome: 'superseded', detail: 'its row has left the window of REJECTED' };
  if (now.state === 'waiting' && now.row > before.row)
    return { id, outcome: 'rejected_again', detail: `${now.reason}: ${now.message}` };
  return { id, outcome: now.state, detail: now.detail };
}

export async function dropLetters(
  connection: LogConnection,
  letters: readonly DeadLetter[],
  because: string,
): Promise<Settled[]> {
  const dropped: Settled[] = [];
  for (const letter of letters) {
    const { id, stream, sequence, worker, retry } = letter;
    if (!isOpen(letter)) {
      dropped.push({ id, outcome: letter.state, detail: letter.detail });
      continue;
    }
    const said = { stream, sequence, worker, retry };
    await appendResolved(connection, { ...said, outcome: 'dropped', appended: 0, detail: because });
    dropped.push({ id, outcome: 'dropped', detail: because });
  }
  return dropped;
}
