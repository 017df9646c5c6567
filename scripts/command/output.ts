import type { Failure } from './errors.ts';
import { failureText } from './errors.ts';

/** A stream as commands write to it. */
export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Where a command speaks: its answer to stdout, everything else to stderr. */
export interface Output {
  readonly json: boolean;
  /** Where progress is drawn. */
  readonly progress: Sink;
  /** The answer: the document under `--json`, else the text for people. Said once. */
  answer(document: object, text: string): void;
  /** A line of the story for people: stdout, but stderr under `--json`. */
  say(line: string): void;
  /** A line about the work under way, on stderr. */
  note(line: string): void;
  /** What went wrong: for people on stderr, and under `--json` as the document too. */
  failure(commandName: string, failure: Failure, extra: object): void;
}

export function createOutput(json: boolean, stdout: Sink, stderr: Sink): Output {
  return {
    json,
    progress: stderr,
    answer: (document, text) => stdout.write(`${json ? JSON.stringify(document, null, 2) : text}\n`),
    say: (text) => (json ? stderr : stdout).write(`${text}\n`),
    note: (text) => stderr.write(`${text}\n`),
    failure: (commandName, failure, extra) => {
      if (json) stdout.write(`${JSON.stringify({ error: { ...failure, ...extra } }, null, 2)}\n`);
      stderr.write(`${failureText(commandName, failure)}\n`);
    },
  };
}
