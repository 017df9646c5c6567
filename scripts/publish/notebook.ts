import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** How far a file was sent to a corpus. */
const notesSchema = z.strictObject({
  version: z.literal(1),
  file: z.string(),
  corpus: z.string(),
  /** Message ids are made of it: who continues says nothing twice. */
  run: z.string().min(1),
  /** Documents of the file that are in the log. */
  documents: z.number().int().nonnegative(),
});
type Notes = z.output<typeof notesSchema>;

/** Remembers how far a file was sent, so that the same command goes on where it was interrupted. */
export interface Notebook {
  /** Documents that an earlier run has appended already. */
  readonly documentsBefore: number;
  /** The key of the batch that begins with a document, counted from the beginning of the file. */
  keyOf(document: number): string;
  /** So many documents of the file are in the log now. */
  note(documents: number): void;
  /** All of it is there: a later run begins anew. */
  close(): void;
}

export interface NotebookOptions {
  readonly dataDirectory: string;
  readonly file: string;
  /** sha256 of its bytes, in hex: a file that was changed is another one. */
  readonly fileHash: string;
  readonly corpus: string;
  /** What else decides of what the file says: its columns. */
  readonly reading: object;
  /** Forget what an earlier run has done. */
  readonly restart: boolean;
}

/**
 * Opens the notebook of a file and a corpus: `<data directory>/ingest/<hash>.json`, replaced as a whole after each batch.
 * One that can not be read is taken for none: documents that are sent again do no harm.
 */
export function openNotebook(options: NotebookOptions): Notebook {
  const { dataDirectory, file, fileHash, corpus, reading, restart } = options;
  const directory = join(dataDirectory, 'ingest');
  const name = createHash('sha256')
    .update(JSON.stringify([fileHash, corpus, reading]))
    .digest('hex')
    .slice(0, 32);
  const path = join(directory, `${name}.json`);
  const found = restart ? undefined : readNotes(path);
  const notes: Notes = found ?? { version: 1, file, corpus, run: randomUUID(), documents: 0 };
  mkdirSync(directory, { recursive: true });
  const write = (documents: number) => {
    const aside = `${path}.${process.pid}`;
    writeFileSync(aside, JSON.stringify({ ...notes, file, documents }));
    renameSync(aside, path);
  };
  // Before anything is sent: whoever continues has to know the run.
  write(notes.documents);
  return {
    documentsBefore: notes.documents,
    keyOf: (document) => `${notes.run}:${document}`,
    note: write,
    close: () => rmSync(path, { force: true }),
  };
}

function readNotes(path: string): Notes | undefined {
  try {
    return notesSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
