import { existsSync } from 'node:fs';

const setpriv = '/usr/bin/setpriv';

/** A command line whose process ends with the one that starts it, however that ends (Linux, where util-linux is there). */
export function endingWithParent(
  command: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return existsSync(setpriv)
    ? { command: setpriv, args: ['--pdeathsig', 'KILL', command, ...args] }
    : { command, args };
}
