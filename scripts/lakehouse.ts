#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { runMain } from './command/main.ts';
import { commands } from './commands/index.ts';

const packageSchema = z.object({ version: z.string() });

/** From `dist/scripts` as from `scripts`, the package's description is above. */
async function readVersion(): Promise<string> {
  for (const relative of ['../package.json', '../../package.json']) {
    const text = await readFile(new URL(relative, import.meta.url), 'utf8').catch(() => undefined);
    if (text !== undefined) return packageSchema.parse(JSON.parse(text)).version;
  }
  return 'unknown';
}

const { stdout, stderr, argv } = process;
process.exitCode = await runMain({ argv: argv.slice(2), commands, version: await readVersion(), stdout, stderr });
