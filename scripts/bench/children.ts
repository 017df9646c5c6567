import { type ChildProcess, fork } from 'node:child_process';
import { compiled } from './project.ts';

/** A helper of a benchmark in a process of its own, that is asked by messages and ends with whoever started it. */
export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  /** Sends a message and gives the answer; one at a time. */
  ask(message: object): Promise<unknown>;
}

type Answer = { readonly answer: unknown } | { readonly failure: string };

/** Starts `dist/scripts/bench/children/<name>.js`, and waits for its first word. */
export async function startChild(
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Child & { readonly greeting: unknown }> {
  const child = fork(compiled('scripts', 'bench', 'children', `${name}.js`), {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const onExit = () => reject(new Error(`the helper "${name}" of the benchmark ended`));
      child.once('exit', onExit);
      child.once('message', (message) => {
        child.off('exit', onExit);
        const said = message as Answer;
        if ('failure' in said) reject(new Error(`the helper "${name}" of the benchmark failed: ${said.failure}`));
        else resolve(said.answer);
      });
    });
  const greeting = await next();
  return {
    greeting,
    process: child,
    ask: (message) => {
      const answer = next();
      child.send(message);
      return answer;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

/** In the helper: greets, answers each message with what `attend` gives, and ends when the starter is gone. */
export function serveParent(greeting: unknown, attend?: (message: unknown) => Promise<unknown>): void {
  const say = (said: Answer) => process.send?.(said);
  process.on('message', (message) => {
    if (attend === undefined) return;
    attend(message).then(
      (answer) => say({ answer }),
      (error: unknown) => say({ failure: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
  say({ answer: greeting });
}

/** In the helper: a setting that the starter gave in the environment. */
export function givenSetting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: this helper is started by a benchmark`);
  return value;
}
