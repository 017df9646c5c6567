import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AuditReport } from '../../schemas/distillation/audit.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { auditOutcomeSchema } from './process-protocol.ts';

// Node can not run the sources themselves: where this is one, what was compiled from it is run.
const compiled = import.meta.url.endsWith('.js') ? './' : '../../dist/workers/audit/';
const entry = fileURLToPath(new URL(`${compiled}main.js`, import.meta.url));

/** What the process may take of memory, and what is read of its answer. */
export const auditProcessLimits = { heapMegabytesMax: 512, answerBytesMax: 1024 * 1024 } as const;

export interface AuditProcess {
  /**
   * Audits the data directory, which stays as it is.
   * @param signal ends the process
   * @throws ProblemError `already_running` while another is under way, `deadline_passed` where the signal ended it,
   * `upstream_failed` where the process did
   */
  run(signal: AbortSignal): Promise<AuditReport>;
}

/** Audits of one data directory, one at a time, each in a process of its own. */
export function createAuditProcess(root: string): AuditProcess {
  let running = false;
  return {
    run: async (signal) => {
      if (running) throw new ProblemError('already_running', 'an audit is under way; ask again when it has ended');
      running = true;
      try {
        return await runOnce(root, signal);
      } finally {
        running = false;
      }
    },
  };
}

async function runOnce(root: string, signal: AbortSignal): Promise<AuditReport> {
  const heap = `--max-old-space-size=${auditProcessLimits.heapMegabytesMax}`;
  // Where programs and temporary folders are is all that it is told: no address, no credentials.
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(process.execPath, [heap, entry, JSON.stringify({ root })], {
    env: { PATH, HOME, TMPDIR },
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(`it ended with code ${code}`));
  });
  let answer = '';
  child.stdout.on('data', (chunk: Buffer) => {
    answer += chunk.toString('utf8');
    if (answer.length > auditProcessLimits.answerBytesMax) child.kill('SIGKILL');
  });
  const how = await ended;
  if (signal.aborted)
    throw new ProblemError(
      'deadline_passed',
      'the audit took longer than the request may take and was ended; run "lakehouse audit-full" instead',
    );
  const outcome = auditOutcomeSchema.safeParse(parse(answer));
  if (!outcome.success) throw new ProblemError('upstream_failed', `the process of the audit told nothing: ${how}`);
  if (outcome.data.say === 'audited') return outcome.data.report;
  throw new ProblemError('upstream_failed', `nothing was audited: ${outcome.data.message}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
