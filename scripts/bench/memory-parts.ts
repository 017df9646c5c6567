import { readFile, writeFile } from 'node:fs/promises';
import { ownDimension } from './vector-events.ts';

const kibibyte = 1024;

/** The memory of a process as Linux counts it, in bytes. */
export interface ResidentBytes {
  readonly rss: number;
  /** The largest since the start of the process, or since `resetPeak`. */
  readonly peak: number;
  /** Of its own: heaps, buffers, stacks. */
  readonly anonymous: number;
  /** Programs and libraries. */
  readonly file: number;
}

/** Reads what is resident out of /proc/<pid>/status, where amounts are in KiB. */
export function parseResident(status: string): ResidentBytes {
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * kibibyte;
  return {
    rss: field('VmRSS'),
    peak: field('VmHWM'),
    anonymous: field('RssAnon'),
    file: field('RssFile') + field('RssShmem'),
  };
}

export async function readResident(pid: number): Promise<ResidentBytes> {
  return parseResident(await readFile(`/proc/${pid}/status`, 'utf8'));
}

/** Lets the kernel count the peak of a process anew, from what is resident now. */
export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

/** 2.2 times the floats themselves, and 300 MB for everything else. */
export function memoryBarBytes(documents: number): number {
  return 2.2 * rawFloatBytes(documents) + 300e6;
}

export function rawFloatBytes(documents: number): number {
  return documents * ownDimension * 4;
}

/**
 * What an HNSW graph of hnswlib takes at least, in bytes, were its capacity the number of its elements: per element its
 * vector, 2 * M links of 4 bytes with their count on the lowest layer, the label, a mutex, a level, a place in the table
 * of labels, and on the average 1 / (M - 1) upper layers of M links each (Malkov and Yashunin, 2016, with mL = 1 / ln M).
 */
export function graphBytesEstimate(elements: number, m: number): number {
  const lowest = ownDimension * 4 + (2 * m * 4 + 4) + 8;
  const upper = (m * 4 + 4) / (m - 1) + 8;
  const bookkeeping = 40 + 4 + 40;
  return elements * (lowest + upper + bookkeeping);
}
