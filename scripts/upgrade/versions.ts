import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { projectDirectory } from '../bench/project.ts';

const golden = join(projectDirectory(), 'scripts', 'upgrade', 'golden');

/** Where what a version wrote is kept. */
export function goldenDirectory(version: string): string {
  return join(golden, version);
}

/** The versions of which something is kept. */
export function goldenVersions(): string[] {
  return readdirSync(golden).sort();
}

/** The version in package.json. */
export function ownVersion(): string {
  const text = readFileSync(join(projectDirectory(), 'package.json'), 'utf8');
  return z.object({ version: z.string().min(1) }).parse(JSON.parse(text)).version;
}
