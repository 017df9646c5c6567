/** Compiles the sources into dist/ when they changed since they were compiled last. Plain JavaScript without
 * dependencies, as it runs before anything is installed or compiled. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const rooms = ['schemas', 'streams', 'workers', 'gateway', 'scripts'];
const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
const stampFile = join(root, 'dist', '.sources.sha256');

function filesBelow(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** What dist/ is made of, as one hash: times of files tell nothing after a checkout. */
function sourcesHash() {
  const hash = createHash('sha256');
  const sources = rooms
    .map((room) => join(root, room))
    .filter(existsSync)
    .flatMap(filesBelow);
  for (const path of [...settings.map((name) => join(root, name)), ...sources.sort()]) {
    if (path.endsWith('.test.ts')) continue;
    hash
      .update(`${path.slice(root.length)}\0`)
      .update(readFileSync(path))
      .update('\0');
  }
  return hash.digest('hex');
}

export function isBuildCurrent() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sourcesHash();
}

/** Runs npm as this process was run by it, or else as PATH has it. Returns whether it ended well. */
export function runNpm(parameters) {
  const npmScript = process.env.npm_execpath;
  const isScript = npmScript !== undefined && /\.[cm]?js$/.test(npmScript);
  const [command, first] = isScript ? [process.execPath, [npmScript]] : ['npm', []];
  const environment = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  // Whoever asks for JSON on stdout gets nothing but JSON there.
  const stdio = ['ignore', process.stderr.fd, process.stderr.fd];
  return spawnSync(command, [...first, ...parameters], { cwd: root, env: environment, stdio }).status === 0;
}

/** Compiles if need be; returns whether dist/ is what the sources say. */
export function buildIfChanged(say) {
  if (isBuildCurrent()) return true;
  const hash = sourcesHash();
  say('compiling TypeScript into dist/');
  if (!runNpm(['run', '--silent', 'build'])) return false;
  writeFileSync(stampFile, hash);
  return true;
}

/** For vitest's `globalSetup`: tests that start processes start what is compiled. */
export function setup() {
  if (!buildIfChanged(() => {})) throw new Error('the sources do not compile ("npm run build" tells where)');
}
