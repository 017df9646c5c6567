/** Everything that has to hold: types, style and all tests. The last line counts them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './build.mjs';

/**
 * Counts a report of vitest's JSON reporter. A file that failed without a failed test (it could not be loaded) counts
 * as one failure; so does a run without any test, and one that failed for no reason that the report knows.
 */
export function countTests(report, endedWell) {
  const files = report?.testResults ?? [];
  const broken = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const told = (report?.numFailedTests ?? 0) + broken.length;
  const failed = told === 0 && (passed === 0 || !endedWell) ? 1 : told;
  return { passed, failed, skipped };
}

function step(title, command, parameters) {
  process.stdout.write(`\n== ${title}\n`);
  return spawnSync(command, parameters, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

/** @returns the exit code: 0 only where all is well and nothing was skipped unsaid */
export async function runTests(vitestParameters, built) {
  const module = (path) => join(root, 'node_modules', path);
  const steps = [
    built,
    step('types', module('.bin/tsc'), ['-p', 'tsconfig.json', '--noEmit']),
    step('style', module('.bin/biome'), ['check', '.']),
    step('nats-server', process.execPath, [join(root, 'dist', 'scripts', 'ensure-nats-server.js')]),
  ];
  const folder = mkdtempSync(join(tmpdir(), 'lakehouse-tests-'));
  const reportFile = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const endedWell = step('tests', module('.bin/vitest'), ['run', ...reporters, ...vitestParameters]);
  const report = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, 'utf8')) : undefined;
  rmSync(folder, { recursive: true, force: true });
  const counted = countTests(report, endedWell);
  const failed = counted.failed + steps.filter((isWell) => !isWell).length;
  process.stdout.write(`\n${counted.passed} passed, ${failed} failed, ${counted.skipped} skipped\n`);
  return failed === 0 ? 0 : 1;
}
