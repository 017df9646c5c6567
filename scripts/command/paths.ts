import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the compiled sources, seen from them as from the sources themselves (under the test runner). */
export function distDirectory(): string {
  const here = fileURLToPath(import.meta.url);
  const root = dirname(dirname(dirname(here)));
  return here.endsWith('.ts') ? join(root, 'dist') : root;
}

/** The compiled `lakehouse` command. */
export function lakehouseScript(): string {
  return join(distDirectory(), 'scripts', 'lakehouse.js');
}
