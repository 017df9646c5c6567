import { vi } from 'vitest';
import { commands } from '../commands/index.ts';

/**
 * Runs a command in this process, and reads the document that it prints.
 * @throws what the command throws
 */
export async function runCommand(...[name, ...rest]: readonly [string, ...string[]]) {
  const written: string[] = [];
  const keep = (text: string | Uint8Array) => {
    written.push(String(text));
    return true;
  };
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
  try {
    const loaded = await commands[name]?.();
    if (loaded === undefined) throw new Error(`there is no command ${name}`);
    const exitCode = await loaded.default.run(name, [...rest, '--json']);
    return { exitCode, document: JSON.parse(written.join('')) };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}
