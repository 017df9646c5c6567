import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat, writeFile } from 'node:fs/promises';
import { serverLimits } from './limits.ts';

export interface CommandResult {
  /** `undefined` where the command could not be started or was ended by a signal. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the search for a server asks of the machine. */
export interface LocateEffects {
  readonly userId: number | undefined;
  isExecutable(path: string): Promise<boolean>;
  isDirectory(path: string): Promise<boolean>;
  /** Runs a command to its end; a failure is a result, never an exception. */
  run(command: string, parameters: readonly string[]): Promise<CommandResult>;
  /** Writes a file; its folder is there. */
  write(path: string, text: string): Promise<void>;
}

export const systemEffects: LocateEffects = {
  userId: process.getuid?.(),

  async isExecutable(path) {
    try {
      await access(path, constants.X_OK);
      return (await stat(path)).isFile();
    } catch {
      return false;
    }
  },

  async isDirectory(path) {
    try {
      return (await stat(path)).isDirectory();
    } catch {
      return false;
    }
  },

  write: (path, text) => writeFile(path, text),

  run(command, parameters) {
    const asksVersion = parameters.length === 1 && parameters[0] === '--version';
    const timeout = asksVersion ? serverLimits.versionDeadlineMs : serverLimits.installDeadlineMs;
    return new Promise((resolve) => {
      execFile(command, [...parameters], { timeout, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        resolve({
          exitCode: typeof code === 'number' ? code : undefined,
          stdout,
          stderr: stderr || (error?.message ?? ''),
        });
      });
    });
  },
};
