import { ConflictError } from '../../streams/append.ts';
import { systemClock } from '../../streams/clock.ts';
import { numberFlag } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { formatCount } from '../command/format.ts';
import { dataDirArgument } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import { exitCodes } from '../exit-codes.ts';
import {
  checkLines,
  ImportRefused,
  type ImportReport,
  importLines,
  type LineLogName,
  lineLogs,
} from '../log/import.ts';
import { LineFileError } from '../log/lines.ts';
import { type RoundTrip, roundTripFile } from '../log/round-trip.ts';
import { createProgress } from '../progress.ts';

const afterMax = Number.MAX_SAFE_INTEGER;

export default command({
  summary: 'Brings a log of another runtime in, line by line, bytes untouched; or checks that its fields can be kept.',
  examples: [
    'log check audit_baselines.jsonl --stream audit',
    'log import audit_baselines.jsonl --stream audit',
    'log import replay_runs.jsonl --stream replay --after 120',
  ],
  args: {
    action: { type: 'positional', required: true, description: 'import, or check (reads the file alone).' },
    file: { type: 'positional', required: true, description: 'A JSON object a line.' },
    stream: { type: 'string', required: true, description: 'audit (AUDIT_BASELINES) or replay (REPLAY_RUNS).' },
    after: { type: 'string', description: 'The last sequence that the log has now; without it the log must be empty.' },
    ...dataDirArgument,
  },
  async run({ args, output }) {
    if (args.action !== 'import' && args.action !== 'check')
      throw usageError(`"${args.action}" is no action`, 'Say "log import FILE --stream audit", or "log check ...".');
    const log = (Object.keys(lineLogs) as LineLogName[]).find((name) => name === args.stream);
    if (log === undefined)
      throw usageError(`"${args.stream}" is not such a log`, 'Say --stream audit or --stream replay.');
    if (args.action === 'check') {
      const trip = await roundTripFile(args.file, log).catch((error: unknown) => refuse(args.file, error));
      output.answer(trip, roundTripText(trip));
      return trip.equal ? exitCodes.done : exitCodes.differs;
    }
    const after = numberFlag('after', args.after, { min: 0, max: afterMax }) ?? 0;
    const total = await checkLines(args.file, log).catch((error: unknown) => refuse(args.file, error));
    const { connection } = await openLog(args['data-dir']);
    const progress = createProgress({ label: 'lines', total, stream: output.progress, now: systemClock.monotonicMs });
    try {
      const report = await importLines({
        connection,
        log,
        after,
        file: args.file,
        total,
        onProgress: progress.update,
      });
      progress.finish();
      output.answer(report, importText(report));
      return exitCodes.done;
    } catch (error) {
      progress.finish();
      return refuse(args.file, error);
    } finally {
      await connection.drain();
    }
  },
});

function roundTripText({ lines, fields, unknown, faults, told }: RoundTrip): string {
  const kept = Object.entries(unknown).map(([key, count]) => `${key} (${formatCount(count)})`);
  return [
    `${formatCount(lines)} lines with ${formatCount(fields)} fields, decoded and encoded again: ${faults === 0 ? 'every field is the same' : `${formatCount(faults)} are not`}`,
    ...(kept.length === 0 ? [] : [`kept, though no schema names them: ${kept.join(', ')}`]),
    ...told.map(({ line, path, fault }) => `  line ${line}: ${path} is ${fault}`),
  ].join('\n');
}

function importText({ stream, lines, appended, present, first_sequence, last_sequence, sha256 }: ImportReport): string {
  if (first_sequence === null) return 'The file has no line; nothing was appended.';
  const earlier = present === 0 ? '' : `, ${formatCount(present)} were there already`;
  return [
    `${formatCount(lines)} lines are ${stream} ${first_sequence} to ${last_sequence}: ${formatCount(appended)} appended${earlier}`,
    `sha256 of the lines ${sha256}`,
  ].join('\n');
}

/** Turns what an import fails with into what a person is told. */
function refuse(file: string, error: unknown): never {
  if (error instanceof LineFileError)
    throw new CommandError(exitCodes.usage, {
      happened: `${file}:${error.line}: ${error.message}`,
      means: 'The file is checked before anything is appended: nothing was.',
      remedy: 'Mend that line, or take it out, and run the command again.',
    });
  if (error instanceof ImportRefused || error instanceof ConflictError)
    throw new CommandError(exitCodes.differs, {
      happened: error instanceof ConflictError ? 'somebody else appended to the log meanwhile' : error.message,
      means: 'Line N of such a log is sequence N: what is there is never overwritten and nothing is put in between.',
      remedy: 'Take an empty log, or state with --after which sequence the first line of the file follows.',
    });
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') throw error;
  throw new CommandError(code === 'ENOENT' ? exitCodes.absent : exitCodes.failed, {
    happened: code === 'ENOENT' ? `there is no file ${file}` : `${file} can not be read (${code})`,
    means: 'Nothing was appended.',
    remedy: 'Check the path and its permissions.',
  });
}
