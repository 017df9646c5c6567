import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { dataDirArgument } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import type { Output } from '../command/output.ts';
import { textTable } from '../command/table.ts';
import { EvidenceDiffersError, type EvidenceImport, importEvidence } from '../distillation/import-evidence.ts';
import { gatheredText, gatherLife } from '../distillation/own-life.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { createProgress } from '../progress.ts';

export default command({
  summary: 'Appends the source rows of a folder, or what this system saw of itself, to EVIDENCE.',
  examples: ['evidence import data/_kb', 'evidence import data/_kb --json', 'evidence gather'],
  args: {
    action: { type: 'positional', required: true, description: 'import or gather.' },
    directory: {
      type: 'positional',
      required: false,
      description: 'import: the folder that holds the <stem>.jsonl files, whose bytes are not touched.',
    },
    ...dataDirArgument,
  },
  async run({ args, output }) {
    const { action, directory } = args;
    if (action === 'gather' && directory === undefined) return gather(args['data-dir'], output);
    if (action !== 'import' || directory === undefined)
      throw usageError(`"${action}" is no action`, 'Say "evidence import DIRECTORY" or "evidence gather".');
    await checkDirectory(directory);
    const { connection } = await openLog(args['data-dir']);
    const progress = createProgress({ label: 'importing', stream: output.progress, now: () => performance.now() });
    try {
      const before = new Map<string, number>();
      const done = await importEvidence(connection, directory, (stem, lines) => {
        before.set(stem, lines);
        progress.update([...before.values()].reduce((sum, count) => sum + count, 0));
      });
      progress.finish();
      output.answer(done, importText(done));
      return exitCodes.done;
    } catch (error) {
      throw error instanceof EvidenceDiffersError ? differs(error) : error;
    } finally {
      await connection.drain();
    }
  },
});

/** SEARCHES and OBSERVATIONS are windows: what is gathered before it leaves them is kept. */
async function gather(dataDirectory: string | undefined, output: Output): Promise<ExitCode> {
  const { connection } = await openLog(dataDirectory);
  try {
    const gathered = await gatherLife(connection);
    output.answer(gathered, `gathered of this system's own life: ${gatheredText(gathered)}`);
    return exitCodes.done;
  } finally {
    await connection.drain();
  }
}

async function checkDirectory(directory: string): Promise<void> {
  const isDirectory = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isDirectory) return;
  throw new CommandError(exitCodes.absent, {
    happened: `there is no folder ${directory}`,
    means: 'Nothing was imported.',
    remedy: 'Name the folder in which the <stem>.jsonl files lie, such as data/_kb.',
  });
}

function differs(error: EvidenceDiffersError): CommandError {
  return new CommandError(
    exitCodes.differs,
    {
      happened: error.message,
      means:
        'The log is append-only, and what it has of this source is not how this file begins: it may be of another history. Files before it were imported.',
      remedy: 'Import the file that the log was fed from, or bring these rows in as a source of another name.',
    },
    { cause: error },
  );
}

function importText({ files, left }: EvidenceImport): string {
  const table = textTable(
    [
      { title: 'source' },
      { title: 'lines', right: true },
      { title: 'appended', right: true },
      { title: 'there already', right: true },
    ],
    files.map(({ stem, lines, appended, present }) => [stem, String(lines), String(appended), String(present)]),
  );
  return left.length === 0 ? table : `${table}\n\nleft, as no transform knows them: ${left.join(', ')}`;
}
