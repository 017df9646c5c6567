import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';

export function nothingToCompare(happened: string, remedy: string): CommandError {
  return new CommandError(exitCodes.absent, { happened, means: 'There is nothing to compare.', remedy });
}
