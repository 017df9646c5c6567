import { readFile } from 'node:fs/promises';
import type { LoadFnOutput, LoadHookContext } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { distDirectory } from '../command/paths.ts';
import { editsOf, mutants, mutate } from './mutants.ts';

const chosen = (process.env.LAKEHOUSE_MUTANT ?? '').split(',').map((name) => {
  const mutant = mutants.find((one) => one.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant "${name}"`);
  return mutant;
});
const urlOf = (file: string) => pathToFileURL(join(distDirectory(), file.replace(/\.ts$/, '.js'))).href;
const edits = chosen.flatMap(editsOf).map((edit) => ({ edit, url: urlOf(edit.file) }));

/** Node's hook for loading a module: gives the files of mutants with the guard broken, and every other as it is. */
export async function load(
  url: string,
  context: LoadHookContext,
  nextLoad: (url: string, context: LoadHookContext) => Promise<LoadFnOutput>,
): Promise<LoadFnOutput> {
  const own = edits.filter((one) => one.url === url);
  if (own.length === 0) return nextLoad(url, context);
  const text = await readFile(fileURLToPath(url), 'utf8');
  const source = own.reduce((changed, { edit }) => mutate(changed, edit), text);
  return { format: 'module', shortCircuit: true, source };
}
