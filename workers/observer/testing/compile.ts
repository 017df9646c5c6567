import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export interface CompiledModule extends AsyncDisposable {
  /** The file to run with node. */
  readonly entry: string;
}

/**
 * Compiles one module and what it imports into a folder of its own, so that a test can run it as a process and kill it.
 * @param source from the root of the project, such as `workers/observer/main.ts`
 */
export async function compileModule(source: string): Promise<CompiledModule> {
  const root = resolve(import.meta.dirname, '../../..');
  const folder = await mkdtemp(join(tmpdir(), 'lakehouse-compiled-'));
  const compilerOptions = { rootDir: root, outDir: folder, typeRoots: [join(root, 'node_modules/@types')] };
  const project = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files: [join(root, source)] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', folder]);
  return {
    entry: join(folder, source.replace(/\.ts$/, '.js')),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
