import { readFile } from 'node:fs/promises';
import type { LoadFnOutput, LoadHookContext } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { distDirectory } from '../command/paths.ts';
import { mutants, mutate } from './mutants.ts';

const name = process.env.LAKEHOUSE_MUTANT;
const mutant = mutants.find((one) => one.name === name);
if (mutant === undefined) throw new Error(`there is no mutant "${name}"`);
const target = pathToFileURL(join(distDirectory(), mutant.file.replace(/\.ts$/, '.js'))).href;

/** Node's hook for loading a module: gives the mutant's file with the guard broken, and every other as it is. */
export async function load(
  url: string,
  context: LoadHookContext,
  nextLoad: (url: string, context: LoadHookContext) => Promise<LoadFnOutput>,
): Promise<LoadFnOutput> {
  if (mutant === undefined || url !== target) return nextLoad(url, context);
  const text = await readFile(fileURLToPath(url), 'utf8');
  return { format: 'module', shortCircuit: true, source: mutate(text, mutant) };
}
