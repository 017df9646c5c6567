import { createReadStream } from 'node:fs';

const lineFeed = 0x0a;

/** A file has a line that can not be one of a log. */
export class LineFileError extends Error {
  /** Counted from 1. */
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.name = 'LineFileError';
    this.line = line;
  }
}

/**
 * The lines of a file, their bytes as they are and without their line feeds; a last line needs none.
 * @param empty whether an empty line is refused, or left out as if it were not there
 * @throws LineFileError for an empty line, and for one of more than `lineBytesMax`; errors of the file system as they are
 */
export async function* readLines(
  path: string,
  lineBytesMax: number,
  empty: 'refused' | 'left out' = 'refused',
): AsyncGenerator<Buffer, void, void> {
  let line = 1;
  let rest: Buffer = Buffer.alloc(0);
  const checked = (bytes: Buffer): Buffer => {
    if (bytes.length === 0) throw new LineFileError(line, 'the line is empty; it would take the place of a row');
    if (bytes.length > lineBytesMax) throw new LineFileError(line, `the line has more than ${lineBytesMax} bytes`);
    line += 1;
    return bytes;
  };
  for await (const chunk of createReadStream(path)) {
    let from = 0;
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, from)) {
      if (at > from || empty === 'refused') yield checked(bytes.subarray(from, at));
      from = at + 1;
    }
    rest = bytes.subarray(from);
    if (rest.length > lineBytesMax) checked(rest);
  }
  if (rest.length > 0) yield checked(rest);
}
