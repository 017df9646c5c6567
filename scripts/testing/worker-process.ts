import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { findFreePort } from '../../streams/server/ports.ts';
import type { RoleName } from '../../streams/server/roles.ts';
import { distDirectory } from '../command/paths.ts';
import { endingWithParent } from './ending-with-parent.ts';
import type { TestStack } from './stack.ts';

const readyWaitMs = 60_000;
const lookEveryMs = 20;

/** One process of the compiled system, beside a test stack. */
export interface TestProcess extends AsyncDisposable {
  readonly pid: number;
  /** Ends it as a crash would. */
  kill9(): Promise<void>;
  /** Ends it in order; resolves to its exit code. */
  stop(): Promise<number | null>;
  untilReady(): Promise<void>;
}

/** The environment in which a process speaks to a stack's log as a role. */
export function environmentOf(stack: TestStack, role: RoleName): Record<string, string> {
  const { servers, user, pass } = stack.server.optionsFor(role);
  return {
    LAKEHOUSE_NATS_URL: servers,
    LAKEHOUSE_NATS_USER: user,
    LAKEHOUSE_NATS_PASSWORD: pass,
    LAKEHOUSE_DATA_DIR: stack.configuration.dataDirectory,
    LAKEHOUSE_LOG_LEVEL: process.env.LAKEHOUSE_TEST_LOG ?? 'silent',
  };
}

/** Starts a worker as a process of its own, from what is compiled. */
export async function startWorkerProcess(
  stack: TestStack,
  worker: 'ingest' | 'embed' | 'index' | 'playbook' | 'observer',
  environment: Readonly<Record<string, string>> = {},
): Promise<TestProcess> {
  const port = await findFreePort();
  const { command, args } = endingWithParent(process.execPath, [join(distDirectory(), 'workers', worker, 'main.js')]);
  const child: ChildProcess = spawn(command, args, {
    env: { ...process.env, ...environmentOf(stack, worker), LAKEHOUSE_HEALTH_PORT: String(port), ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    pid: child.pid ?? 0,
    kill9: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
    untilReady: () => untilReady(`http://127.0.0.1:${port}/readyz`, child),
    [Symbol.asyncDispose]: async () => {
      await end('SIGKILL');
    },
  };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + readyWaitMs;
  for (;;) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (child.exitCode !== null) throw new Error(`the process ended with code ${child.exitCode} before it was ready`);
    if (performance.now() > deadline) throw new Error(`${url} was not ready within ${readyWaitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
