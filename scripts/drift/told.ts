import { type Column, textTable } from '../command/table.ts';
import type { ExitCode } from '../exit-codes.ts';
import { markdownTable } from '../write-report.ts';

export interface ToldTable {
  readonly caption?: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

/** One kind of drift as a command tells it: the same for people, for programs and as a picture. */
export interface Told {
  readonly title: string;
  /** All of it. */
  readonly json: object;
  readonly sentences: readonly string[];
  readonly tables: readonly ToldTable[];
  /** Undefined where there is nothing to draw. */
  readonly svg: string | undefined;
  readonly exitCode: ExitCode;
}

export function toldText({ sentences, tables }: Told): string {
  const blocks = tables
    .filter(({ rows }) => rows.length > 0)
    .map(({ caption, columns, rows }) =>
      [...(caption === undefined ? [] : [caption]), textTable(columns, rows)].join('\n'),
    );
  return [sentences.join('\n'), ...blocks].join('\n\n');
}

export function toldMarkdown({ title, sentences, tables }: Told): string {
  const blocks = tables
    .filter(({ rows }) => rows.length > 0)
    .map(({ caption, columns, rows }) => {
      const table = markdownTable(
        columns.map((column) => column.title),
        rows,
      );
      return caption === undefined ? table : `${caption}\n\n${table}`;
    });
  return `${[`# ${title}`, sentences.map((sentence) => `${sentence}.`).join(' '), ...blocks].join('\n\n')}\n`;
}
