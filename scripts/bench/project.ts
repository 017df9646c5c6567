import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder that holds package.json, above the compiled sources as above the sources themselves. */
export function projectDirectory(from: string = import.meta.dirname): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('there is no package.json above this program');
  return projectDirectory(parent);
}

/** The compiled sources: processes are started from them. */
export function compiled(...path: readonly string[]): string {
  return join(projectDirectory(), 'dist', ...path);
}

/** Where reports of a kind lie. */
export function reportsDirectory(
  kind: 'bench' | 'load' | 'evaluation' | 'soak' | 'distillation-run' | 'chaos',
): string {
  return join(projectDirectory(), 'reports', kind);
}
