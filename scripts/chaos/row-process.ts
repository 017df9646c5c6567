import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { distDirectory } from '../command/paths.ts';
import { endingWithParent } from '../testing/ending-with-parent.ts';
import type { FaultRow, Scale } from './fault-row.ts';
import { type RowTask, rowMessageSchema } from './row-message.ts';
import type { RowRequest, RowRun } from './run-row.ts';

/** A run that hangs is ended after so long, and is red. */
const runDeadlineMs: Readonly<Record<Scale, number>> = { short: 5 * 60_000, long: 60 * 60_000 };
const stderrTailCharacters = 4_000;

/**
 * Runs a row once in a process of its own: what it breaks, leaks or hangs in is not the campaign's. Its processes end with
 * it, however it ends.
 */
export async function runRowProcess(
  { fault }: Pick<FaultRow, 'fault'>,
  request: RowRequest,
  report: (line: string) => void,
): Promise<RowRun> {
  const began = performance.now();
  const { seed, scale, fault: withFault, mutation, budgetMs } = request;
  const task: RowTask = { fault, seed, scale, withFault, mutation, budgetMs };
  const entry = join(distDirectory(), 'scripts', 'chaos', 'row-main.js');
  const { command, args } = endingWithParent(process.execPath, ['--enable-source-maps', entry, JSON.stringify(task)]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let tail = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    tail = `${tail}${text}`.slice(-stderrTailCharacters);
  });
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, runDeadlineMs[scale]);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  let run: RowRun | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const parsed = parse(line);
    if (parsed === undefined) continue;
    if (parsed.say === 'line') report(parsed.line);
    else if (parsed.say === 'failed')
      run = { outcome: undefined, failure: parsed.failure, durationMs: parsed.durationMs };
    else run = { outcome: parsed, failure: undefined, durationMs: parsed.durationMs };
  }
  const how = await ended;
  clearTimeout(deadline);
  if (run !== undefined) return run;
  const why = isLate ? `it had not ended after ${runDeadlineMs[scale] / 1_000} s` : `its process ended with ${how}`;
  return {
    outcome: undefined,
    failure: tail === '' ? why : `${why}; it wrote:\n${tail}`,
    durationMs: Math.round(performance.now() - began),
  };
}

/** What a library prints is no message. */
function parse(line: string) {
  try {
    return rowMessageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
