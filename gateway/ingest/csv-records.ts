import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { ProblemError } from '../../schemas/problems.ts';
import type { CsvQuery } from '../../schemas/requests/ingest.ts';
import { ColumnError, type ColumnMap, createColumnMap } from './csv-columns.ts';
import { type RecordOptions, recordTooLarge, type StreamRecord } from './stream-records.ts';

const recordsTogetherMax = 256;
const delimiters: Readonly<Record<string, string>> = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' };

/**
 * Cuts CSV (RFC 4180: quoted cells, doubled quotes, line feeds in quotes) into documents. The first line is the header.
 * Lines count from `firstLine`, the header's own; a record is named by the line that it begins on.
 * @throws ProblemError `bad_request` for a header that does not fit and for quotes that can not be read on from,
 * `payload_too_large` for a record that does not end within the limit
 */
export async function* csvRecords(
  chunks: AsyncIterable<Buffer>,
  query: CsvQuery,
  options: RecordOptions,
): AsyncGenerator<StreamRecord[], void> {
  const { recordBytesMax, firstLine, holding } = options;
  const progress = { line: firstLine, fedBytes: 0 };
  const delimiter = delimiters[query.delimiter ?? 'comma'] ?? ',';
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: recordBytesMax,
  });
  const fed = async function* () {
    for await (const text of decoded(chunks)) {
      progress.fedBytes += text.length;
      // The parser's own limit does not count separators.
      if (progress.fedBytes > recordBytesMax + text.length) throw recordTooLarge(progress.line, recordBytesMax);
      holding(progress.fedBytes);
      yield text;
    }
  };
  pipeline(Readable.from(fed(), { highWaterMark: 1 }), parser, () => undefined);
  let map: ColumnMap | undefined;
  let batch: StreamRecord[] = [];
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const line = progress.line;
      progress.line = firstLine + info.lines;
      progress.fedBytes = 0;
      if (map === undefined) map = mapOf(record, query);
      else batch.push(recordOf(record, line, map));
      if (batch.length === 0 || (batch.length < recordsTogetherMax && parser.readableLength > 0)) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    throw problemOf(error, progress.line, recordBytesMax);
  }
  if (map === undefined) throw new ProblemError('bad_request', 'the body has no header line');
  if (batch.length > 0) yield batch;
}

async function* decoded(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (chunk?: Buffer) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new ProblemError('bad_request', 'the body is not UTF-8');
    }
  };
  for await (const chunk of chunks) {
    const text = decode(chunk);
    if (text !== '') yield text;
  }
  const rest = decode();
  if (rest !== '') yield rest;
}

function mapOf(header: readonly string[], query: CsvQuery): ColumnMap {
  try {
    return createColumnMap(header, query);
  } catch (error) {
    if (error instanceof ColumnError) throw new ProblemError('bad_request', error.message);
    throw error;
  }
}

function recordOf(cells: readonly string[], line: number, map: ColumnMap): StreamRecord {
  const read = map.read(cells);
  if ('fault' in read) return { line, ...read };
  return { line, payload: Buffer.from(JSON.stringify(read.document), 'utf8') };
}

function problemOf(error: unknown, line: number, recordBytesMax: number): unknown {
  if (!(error instanceof CsvError)) return error;
  if (error.code === 'CSV_MAX_RECORD_SIZE') return recordTooLarge(line, recordBytesMax);
  const detail = `line ${line}: the CSV can not be read on from here: ${error.message}`;
  return new ProblemError('bad_request', detail, { line });
}
