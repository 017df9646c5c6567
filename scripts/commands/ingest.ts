import { createHash } from 'node:crypto';
import { type CsvQuery, csvQuerySchema } from '../../schemas/requests/ingest.ts';
import { systemClock } from '../../streams/clock.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { formatCount } from '../command/format.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import type { Output } from '../command/output.ts';
import { exitCodes } from '../exit-codes.ts';
import type { SourcedDocument } from '../publish/documents.ts';
import { DocumentFileError, type ReadOptions, readDocuments } from '../publish/documents.ts';
import { type Notebook, openNotebook } from '../publish/notebook.ts';
import { publishDocuments } from '../publish/publish.ts';

const formats = ['json', 'csv'] as const;

export default command({
  summary:
    'Appends the documents of a file (NDJSON, a JSON array or CSV) to a corpus; interrupted, it can be continued.',
  examples: [
    'ingest workers.ndjson --corpus workers',
    'ingest workers.json --corpus workers --wait --json',
    'ingest workers.csv --corpus workers --id worker_id --text "{name}: {skills}" --types years:number',
  ],
  args: {
    file: {
      type: 'positional',
      required: true,
      description: 'A document a line, one JSON array, or CSV with a header line.',
    },
    corpus: { type: 'string', required: true, description: 'The corpus; it comes into being with its first document.' },
    wait: { type: 'boolean', description: 'Return when every document can be found, or was rejected.' },
    format: { type: 'string', description: 'json (NDJSON too) or csv; else csv where the file is called so.' },
    id: { type: 'string', valueHint: 'COLUMN', description: 'CSV: the column of the id ("id").' },
    text: {
      type: 'string',
      valueHint: 'COLUMN',
      description: 'CSV: the column of the text ("text"), or a template such as "{name}: {skills}".',
    },
    metadata: { type: 'string', valueHint: 'COLUMNS', description: 'CSV: columns of metadata (all others).' },
    types: {
      type: 'string',
      valueHint: 'TYPES',
      description: 'CSV: such as years:number,active:boolean; cells are strings otherwise.',
    },
    delimiter: { type: 'string', description: 'CSV: comma, semicolon, tab or pipe (comma).' },
    restart: { type: 'boolean', description: 'Begin anew where an earlier run of the same file was interrupted.' },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const csv = csvOf(args);
    const reading: ReadOptions = csv === undefined ? {} : { csv };
    const { total, fileHash } = await checkFile(args.file, reading);
    const client = await openGateway(args);
    const notebook = openNotebook({
      dataDirectory: dataDirectoryOf(args['data-dir'], process.env),
      file: args.file,
      fileHash,
      corpus: args.corpus,
      reading: csv ?? {},
      restart: args.restart ?? false,
    });
    const before = notebook.documentsBefore;
    let done = before;
    if (before > 0)
      output.note(
        `${formatCount(before)} of ${formatCount(total)} documents were appended by an earlier run; going on.`,
      );
    const stopListening = onInterrupt(output, () => [done, total]);
    try {
      const exitCode = await publishDocuments({
        client,
        corpus: args.corpus,
        documents: behind(readDocuments(args.file, reading), before),
        total: total - before,
        waitSearchable: args.wait ?? false,
        output,
        clock: systemClock,
        run: runOf(notebook, (documents) => {
          done = documents;
        }),
      });
      notebook.close();
      return exitCode;
    } catch (error) {
      throw done > before || before > 0 ? resumable(error, done, total) : error;
    } finally {
      stopListening();
    }
  },
});

function csvOf(args: {
  readonly file: string;
  readonly format?: string | undefined;
  readonly [flag: string]: unknown;
}): CsvQuery | undefined {
  const format = args.format ?? (/\.csv$/i.test(args.file) ? 'csv' : 'json');
  if (!formats.some((one) => one === format))
    throw usageError(`--format is ${formats.join(' or ')}, not "${format}"`, 'Leave it out to go by the name.');
  const parsed = csvQuerySchema.safeParse(args);
  if (!parsed.success)
    throw usageError(`--${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`, 'See --help.');
  if (format === 'csv') return parsed.data;
  const [flag] = Object.keys(parsed.data).filter((name) => args[name] !== undefined);
  if (flag !== undefined) throw usageError(`--${flag} goes with CSV`, 'Add --format csv, or leave the flag out.');
  return undefined;
}

function runOf(notebook: Notebook, onDone: (documents: number) => void) {
  const { documentsBefore } = notebook;
  return {
    newKey: (first: number) => notebook.keyOf(documentsBefore + first),
    onBatch: (_report: object, documents: number) => {
      notebook.note(documentsBefore + documents);
      onDone(documentsBefore + documents);
    },
  };
}

async function* behind(documents: AsyncIterable<SourcedDocument>, count: number) {
  let place = 0;
  for await (const document of documents) if (place++ >= count) yield document;
}

/** Ctrl-C ends the command at once: what was acknowledged is noted, and what was on its way is not said twice. */
function onInterrupt(output: Output, howFar: () => [number, number]): () => void {
  const onSignal = () => {
    const [done, total] = howFar();
    const failure = {
      happened: 'it was interrupted',
      means: `${formatCount(done)} of ${formatCount(total)} documents are in the log.`,
      remedy: goOn,
    };
    output.failure('ingest', failure, { exit_code: exitCodes.interrupted, documents: done, total });
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', onSignal);
  return () => process.off('SIGINT', onSignal);
}

const goOn = 'Run the same command again: it goes on where this one stopped (--restart begins anew).';

function resumable(error: unknown, done: number, total: number): unknown {
  if (!(error instanceof CommandError)) return error;
  const means = `${error.failure.means} Altogether ${formatCount(done)} of ${formatCount(total)} documents are in the log.`;
  const remedy = `${error.failure.remedy} ${goOn}`;
  return new CommandError(error.exitCode, { ...error.failure, means, remedy }, { cause: error });
}

/**
 * Reads the whole file once before anything is sent, so that a bad line is found while nothing is appended yet.
 * @returns how many documents it has, and the sha256 of its bytes
 */
async function checkFile(file: string, reading: ReadOptions): Promise<{ total: number; fileHash: string }> {
  const hash = createHash('sha256');
  let total = 0;
  try {
    for await (const _document of readDocuments(file, { ...reading, onBytes: (bytes) => hash.update(bytes) }))
      total += 1;
  } catch (error) {
    throw fileError(file, error);
  }
  return { total, fileHash: hash.digest('hex') };
}

function fileError(file: string, error: unknown): unknown {
  if (error instanceof DocumentFileError)
    return new CommandError(exitCodes.failed, {
      happened: `${error.place}: ${error.reason}`,
      means: 'The file was checked before anything was sent: nothing was appended.',
      remedy: 'Mend that line, and run the command again.',
    });
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) return error;
  return new CommandError(code === 'ENOENT' ? exitCodes.absent : exitCodes.failed, {
    happened: code === 'ENOENT' ? `there is no file ${file}` : `${file} can not be read (${code})`,
    means: 'Nothing was appended.',
    remedy: 'Check the path and its permissions.',
  });
}
