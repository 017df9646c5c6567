import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { messageSchema, type Task, type TaskMessage } from '../../workers/rebuild/task.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';

// Node can not run the sources themselves: where this is one, what was compiled from it is run.
const compiled = import.meta.url.endsWith('.js') ? '../../' : '../../dist/';
const entry = fileURLToPath(new URL(`${compiled}workers/rebuild/main.js`, import.meta.url));

export type TaskResult = Exclude<TaskMessage, { say: 'progress' | 'failed' }>;
export type TaskProgress = Extract<TaskMessage, { say: 'progress' }>;

/**
 * Runs a rebuild or a verification in a process of its own, so that its memory and its load are not the system's.
 * @throws CommandError with what the process told, or that it ended without telling
 */
export async function runTask(
  task: Task,
  environment: Readonly<Record<string, string | undefined>>,
  onProgress: (progress: TaskProgress) => void,
): Promise<TaskResult> {
  const child = spawn(process.execPath, ['--enable-source-maps', entry, JSON.stringify(task)], {
    env: { LAKEHOUSE_LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  let result: TaskResult | undefined;
  let failure: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const message = messageSchema.parse(JSON.parse(line));
    if (message.say === 'progress') onProgress(message);
    else if (message.say === 'failed') failure = message.message;
    else result = message;
  }
  const code = await ended;
  if (result !== undefined) return result;
  throw new CommandError(exitCodes.failed, {
    happened: failure ?? `the process ended with code ${code} before it was done`,
    means: 'Nothing was switched: the live indexes answer as before.',
    remedy: 'Mend what is named and try again; "lakehouse status" tells what runs.',
  });
}
