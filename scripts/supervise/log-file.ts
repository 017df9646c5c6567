import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

/** A log of bounded size: `path` and, before it, `path.1`. */
export interface LogFile {
  /** Appends lines, in one write. A disk that is full or gone loses them, never the caller. */
  append(...lines: string[]): void;
  close(): void;
}

/** Opens a log for appending; when it would grow beyond `bytesMax` it is moved to `.1`, over the one before. */
export function openLogFile(path: string, bytesMax: number): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  let descriptor = openSync(path, 'a', 0o600);
  let bytes = fstatSync(descriptor).size;
  const rotate = () => {
    closeSync(descriptor);
    renameSync(path, `${path}.1`);
    descriptor = openSync(path, 'a', 0o600);
    bytes = 0;
  };
  return {
    append(...lines) {
      if (lines.length === 0) return;
      const data = Buffer.from(`${lines.join('\n')}\n`);
      try {
        if (bytes > 0 && bytes + data.length > bytesMax) rotate();
        bytes += writeSync(descriptor, data);
      } catch {
        // The supervised process matters more than its log.
      }
    },
    close: () => closeSync(descriptor),
  };
}

/** Cuts a stream of bytes into lines, without their line feeds; a line of more than `charactersMax` into several. */
export function lineSplitter(charactersMax: number, onLine: (line: string) => void) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const take = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) for (const piece of pieces(line.replace(/\r$/, ''), charactersMax)) onLine(piece);
    while (rest.length > charactersMax) {
      onLine(rest.slice(0, charactersMax));
      rest = rest.slice(charactersMax);
    }
  };
  return {
    write: (bytes: Buffer) => take(decoder.write(bytes)),
    /** Gives out what has no line feed behind it. */
    end: () => {
      take(decoder.end());
      if (rest !== '') onLine(rest);
      rest = '';
    },
  };
}

function pieces(line: string, charactersMax: number): string[] {
  const count = Math.max(1, Math.ceil(line.length / charactersMax));
  return Array.from({ length: count }, (_, i) => line.slice(i * charactersMax, (i + 1) * charactersMax));
}
