import { type ChildProcess, spawn } from 'node:child_process';
import { lakehouseScript } from '../command/paths.ts';
import type { StackRecord } from './running.ts';

/** Without settings of whoever runs the tests. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('LAKEHOUSE_') || name === 'LAKEHOUSE_NATS_SERVER'),
);

/** A command that ended. */
export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs, and what it has said so far. */
export interface StartedCommand {
  readonly child: ChildProcess;
  readonly text: { stdout: string; stderr: string };
}

export function start(
  parameters: readonly string[],
  more: Readonly<Record<string, string | undefined>> = {},
): StartedCommand {
  const child = spawn(process.execPath, [lakehouseScript(), ...parameters], {
    env: { ...environment, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text.stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (text.stderr += part));
  return { child, text };
}

export async function lakehouse(...parameters: string[]): Promise<Ended> {
  const { child, text } = start(parameters);
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, ...text };
}

/** Asks until the answer is there; the test's own deadline ends it. */
export async function eventually<Value>(ask: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
  }
}

/** What `up --json` says once everything is ready. */
export function startedRecord({ child, text }: StartedCommand): Promise<StackRecord> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', () => {
      if (!text.stdout.endsWith('}\n')) return;
      const said = JSON.parse(text.stdout) as StackRecord | { error: object };
      if ('error' in said) reject(new Error(text.stderr));
      else resolve(said);
    });
    child.once('exit', (code) => reject(new Error(`up ended with ${code}: ${text.stderr}`)));
  });
}
