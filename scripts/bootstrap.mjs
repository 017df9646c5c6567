/** Makes a fresh clone ready, a step at a time and only where needed, and runs a command: `lakehouse ...` or `test`.
 * Plain JavaScript without dependencies, as nothing is installed yet when it begins. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildIfChanged, root, runNpm } from './build.mjs';

const nodeMajorMin = 20;
const nativeTools = ['python3', 'make', 'g++'];

function say(line) {
  process.stderr.write(`bootstrap: ${line}\n`);
}

function stop(happened, remedy) {
  process.stderr.write(`bootstrap: ${happened}\n  What it means: nothing was started.\n  What to do:    ${remedy}\n`);
  process.exit(2);
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= nodeMajorMin) return;
  stop(`Node.js ${process.versions.node} is too old`, `Install Node.js ${nodeMajorMin} or later, and try again.`);
}

function isOnPath(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** The index is a native module that npm compiles. */
function ensureNativeTools() {
  const missing = nativeTools.filter((program) => !isOnPath(program));
  if (missing.length === 0) return;
  const isRoot = typeof process.getuid === 'function' && process.getuid() === 0;
  if (isRoot && existsSync('/usr/bin/apt-get')) {
    say(`installing ${missing.join(', ')} with apt-get`);
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...parameters) =>
      spawnSync('apt-get', ['-q', ...parameters], { env: environment, stdio: ['ignore', 2, 2] });
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...nativeTools);
    if (nativeTools.every(isOnPath)) return;
  }
  stop(
    `${missing.join(', ')} not found; the index is a native module that is compiled when it is installed`,
    'Debian, Ubuntu: sudo apt-get install -y python3 make g++    Fedora: sudo dnf install -y python3 make gcc-c++    macOS: xcode-select --install',
  );
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** What npm wrote down when it finished last, held against the lock file: an installation that broke off is none. */
export function isInstalled() {
  const wanted = readPackages('package-lock.json');
  const found = readPackages('node_modules/.package-lock.json');
  if (wanted === undefined || found === undefined) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '' || (optional === true && found[path] === undefined)) return true;
    return found[path] !== undefined && found[path].version === version;
  });
}

function ensurePackages() {
  if (isInstalled()) return;
  const modules = join(root, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink())
    stop('node_modules is a link to a folder that does not fit package-lock.json', 'Run "npm ci" where it leads to.');
  ensureNativeTools();
  say('installing packages with npm ci (the first time this takes a minute or two)');
  if (!runNpm(['ci', '--no-audit', '--no-fund'])) stop('npm ci failed', 'Mend what npm names above, and try again.');
}

const [wanted, ...parameters] = process.argv.slice(2);
checkNode();
ensurePackages();
const built = buildIfChanged(say);
if (wanted === 'test') {
  const { runTests } = await import('./run-tests.mjs');
  process.exitCode = await runTests(parameters, built);
} else if (wanted === 'lakehouse') {
  if (!built) stop('the sources do not compile', 'Mend what the compiler names above, and try again.');
  const script = join(root, 'dist', 'scripts', 'lakehouse.js');
  process.argv.splice(1, process.argv.length, script, ...parameters);
  await import(pathToFileURL(script).href);
} else {
  stop(`"${wanted}" is nothing that can be run`, 'Run "npm run lakehouse -- --help", or "npm test".');
}
