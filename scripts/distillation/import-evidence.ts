import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { appendBytes } from '../../streams/append.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { readStream } from '../../streams/read-stream.ts';
import { subjectOf } from '../../streams/subjects.ts';
import { type EvidenceStem, evidenceSources, isEvidenceStem } from '../../workers/distillation/evidence/sources.ts';
import { lineBytesMax } from '../../workers/distillation/files/json-lines.ts';
import { readLines } from '../log/lines.ts';

export interface ImportedFile {
  readonly stem: EvidenceStem;
  readonly lines: number;
  readonly appended: number;
  /** Lines that the log had already. */
  readonly present: number;
}

export interface EvidenceImport {
  readonly files: readonly ImportedFile[];
  /** `.jsonl` files of the folder that are no source of evidence; they were left. */
  readonly left: readonly string[];
}

/** A file that does not continue what the log has of its stem. */
export class EvidenceDiffersError extends Error {
  readonly file: string;
  readonly line: number;
  constructor(file: string, line: number, why: string) {
    super(`${file}, line ${line}: ${why}`);
    this.name = 'EvidenceDiffersError';
    this.file = file;
    this.line = line;
  }
}

/**
 * Appends the lines of `<stem>.jsonl` files to `evidence.<stem>`, bytes untouched, and only those that the log does not
 * have yet: a file may grow between two imports, and an interrupted one is continued. Empty lines are left out, and a
 * last line needs no line feed.
 * @throws EvidenceDiffersError where the log holds other lines of a stem than the file begins with
 */
export async function importEvidence(
  connection: LogConnection,
  directory: string,
  progress: (stem: EvidenceStem, lines: number) => void,
): Promise<EvidenceImport> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jsonl')).sort();
  const files: ImportedFile[] = [];
  const left: string[] = [];
  for (const name of names) {
    const stem = name.slice(0, -'.jsonl'.length);
    // What this system saw of itself comes from its own log, and from no file.
    if (!isEvidenceStem(stem) || evidenceSources[stem].tier === 'own') left.push(name);
    else files.push(await importFile(connection, join(directory, name), stem, (lines) => progress(stem, lines)));
  }
  return { files, left };
}

async function importFile(
  connection: LogConnection,
  path: string,
  stem: EvidenceStem,
  progress: (lines: number) => void,
): Promise<ImportedFile> {
  const subject = subjectOf('lakehouse.evidence', { stem });
  const there = readStream(connection, 'EVIDENCE', { filterSubject: subject });
  let [lines, present, lastSequence] = [0, 0, 0];
  let known = await there.next();
  for await (const line of readLines(path, lineBytesMax, 'left out')) {
    lines++;
    if (!known.done) {
      if (!line.equals(known.value.payload))
        throw new EvidenceDiffersError(path, lines, 'the log has another line there');
      lastSequence = known.value.sequence;
      present++;
      known = await there.next();
    } else {
      const messageId = `evidence:${stem}:${lines}:${createHash('sha256').update(line).digest('hex')}`;
      const appended = await appendBytes(connection, subject, line, { messageId }, lastSequence);
      lastSequence = appended.sequence;
    }
    progress(lines);
  }
  if (!known.done) throw new EvidenceDiffersError(path, lines + 1, 'the file ends here, and the log has more lines');
  return { stem, lines, appended: lines - present, present };
}
