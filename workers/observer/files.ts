import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file so that a reader finds the old one or the new one, whole, whenever the process or the machine stops:
 * aside, synced, renamed over the old one, and the folder synced.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}.new`;
  const file = await open(aside, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  await syncFolder(dirname(path));
}

/**
 * Moves a file that is of no use out of the way, for whoever wants to know why.
 * @param now ISO 8601, for the new name
 * @returns the new name, `<path>.set-aside-<time>`
 */
export async function setAside(path: string, now: string): Promise<string> {
  const movedTo = `${path}.set-aside-${now.replaceAll(':', '-')}`;
  await rename(path, movedTo);
  await syncFolder(dirname(path));
  return movedTo;
}

/** A new name lasts only once its folder is synced. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
