import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * What `lakehouse up` writes down of itself while it runs, in the data directory: where it answers, and its processes.
 * The file also is the lock: a second `up` on the same data directory finds it, and the process that it names alive.
 */
const processSchema = z.object({
  name: z.string(),
  pid: z.number().int().nullable(),
  state: z.string(),
  restarts: z.number().int(),
  health_url: z.string().nullable(),
  log_file: z.string(),
});
export type StackProcess = z.output<typeof processSchema>;

const stackRecordSchema = z.object({
  schema: z.literal('lakehouse.stack.v1'),
  pid: z.number().int().positive(),
  started_at: z.string(),
  gateway_url: z.string(),
  nats_url: z.string(),
  processes: z.array(processSchema),
});
export type StackRecord = z.output<typeof stackRecordSchema>;

function recordFile(dataDirectory: string): string {
  return join(dataDirectory, 'stack.json');
}

/** The stack that runs on a data directory; undefined where none does (a record of a dead process counts for none). */
export async function readStackRecord(dataDirectory: string): Promise<StackRecord | undefined> {
  const record = await readRecord(dataDirectory);
  return record !== undefined && isAlive(record.pid) ? record : undefined;
}

async function readRecord(dataDirectory: string): Promise<StackRecord | undefined> {
  try {
    return stackRecordSchema.parse(JSON.parse(await readFile(recordFile(dataDirectory), 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Takes the data directory for this process.
 * @returns undefined when it is taken now, else the record of the stack that has it
 */
export async function claimDataDirectory(dataDirectory: string, record: StackRecord): Promise<StackRecord | undefined> {
  await mkdir(dataDirectory, { recursive: true });
  const aside = await writeAside(dataDirectory, record);
  try {
    for (;;) {
      const holder = await readStackRecord(dataDirectory);
      if (holder !== undefined) return holder;
      // What is left is the record of a process that died. A link is made once: of two that try, one finds the other's.
      await rm(recordFile(dataDirectory), { force: true });
      if (await linkOnce(aside, recordFile(dataDirectory))) return undefined;
    }
  } finally {
    await rm(aside, { force: true });
  }
}

async function linkOnce(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Replaces the record of this process. */
export async function updateStackRecord(dataDirectory: string, record: StackRecord): Promise<void> {
  await rename(await writeAside(dataDirectory, record), recordFile(dataDirectory));
}

/** Gives the data directory free, where this process has it. */
export async function releaseDataDirectory(dataDirectory: string, pid: number): Promise<void> {
  if ((await readRecord(dataDirectory))?.pid === pid) await rm(recordFile(dataDirectory), { force: true });
}

let asideFiles = 0;

async function writeAside(dataDirectory: string, record: StackRecord): Promise<string> {
  asideFiles += 1;
  const aside = `${recordFile(dataDirectory)}.${process.pid}.${asideFiles}`;
  await writeFile(aside, `${JSON.stringify(record, null, 2)}\n`);
  return aside;
}

/** Whether a process of that id runs, also one of another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
