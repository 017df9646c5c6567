import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Report {
  /** The whole of it. */
  readonly json: object;
  readonly markdown: string;
  /** A picture, where one can be drawn. */
  readonly svg: string | undefined;
}

/**
 * Writes a report as `NAME.json`, `NAME.md` and, where there is a picture, `NAME.svg`; a reader finds each whole or not at
 * all.
 * @returns the paths of what was written
 */
export async function writeReport(directory: string, name: string, { json, markdown, svg }: Report): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const files: [string, string][] = [
    [`${name}.json`, `${JSON.stringify(json, null, 2)}\n`],
    [`${name}.md`, markdown],
    ...(svg === undefined ? [] : [[`${name}.svg`, svg] as [string, string]]),
  ];
  const written: string[] = [];
  for (const [file, text] of files) {
    const path = join(directory, file);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
    written.push(path);
  }
  return written;
}

/** A table in Markdown; bars in cells are escaped. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(titles), `|${titles.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
