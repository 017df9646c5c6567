import { systemClock } from '../../streams/clock.ts';
import { command } from '../command/define.ts';
import { CommandError } from '../command/errors.ts';
import { gatewayArguments, openGateway } from '../command/gateway.ts';
import { exitCodes } from '../exit-codes.ts';
import { DocumentFileError, readDocuments } from '../publish/documents.ts';
import { publishDocuments } from '../publish/publish.ts';

export default command({
  summary: 'Appends the documents of a file (NDJSON or a JSON array) to a corpus.',
  examples: ['ingest workers.ndjson --corpus workers', 'ingest workers.json --corpus workers --wait --json'],
  args: {
    file: {
      type: 'positional',
      required: true,
      description: 'A document a line, or one JSON array: {"id","text","metadata"}.',
    },
    corpus: { type: 'string', required: true, description: 'The corpus; it comes into being with its first document.' },
    wait: { type: 'boolean', description: 'Return when every document can be found, or was rejected.' },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const total = await checkFile(args.file);
    const client = await openGateway(args);
    return publishDocuments({
      client,
      corpus: args.corpus,
      documents: readDocuments(args.file),
      total,
      waitSearchable: args.wait ?? false,
      output,
      clock: systemClock,
    });
  },
});

/**
 * Reads the whole file once before anything is sent, so that a bad line is found while nothing is appended yet.
 * @returns how many documents it has
 */
async function checkFile(file: string): Promise<number> {
  let count = 0;
  try {
    for await (const _document of readDocuments(file)) count += 1;
  } catch (error) {
    throw fileError(file, error);
  }
  return count;
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
