import { type ExitCode, exitCodes } from '../exit-codes.ts';

/** A failure told to a person: what happened, what it means and what to do. */
export interface Failure {
  readonly happened: string;
  readonly means: string;
  readonly remedy: string;
}

/** Ends a command with a failure and its exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  readonly failure: Failure;

  constructor(exitCode: ExitCode, failure: Failure, options?: ErrorOptions) {
    super(failure.happened, options);
    this.exitCode = exitCode;
    this.failure = failure;
  }
}

/** The command line does not fit. */
export function usageError(happened: string, remedy: string): CommandError {
  return new CommandError(exitCodes.usage, { happened, means: 'Nothing was done.', remedy });
}

/** Three lines for a terminal. */
export function failureText(commandName: string, failure: Failure): string {
  return [
    `lakehouse ${commandName}: ${failure.happened}`,
    `  What it means: ${failure.means}`,
    `  What to do:    ${failure.remedy}`,
  ].join('\n');
}
