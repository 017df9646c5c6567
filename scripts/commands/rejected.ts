import { numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { dataDirArgument } from '../command/gateway.ts';
import { openLog } from '../command/log-access.ts';
import type { Output } from '../command/output.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { actOn, type RejectedAction, rejectedActions } from '../rejected/act.ts';
import { saysSomething, selectionOf } from '../rejected/select.ts';

const limitMax = 10_000;
const waitSecondsMax = 3_600;

export default command({
  summary: 'Lists, shows, retries and drops the messages that were set aside.',
  examples: [
    'rejected list',
    'rejected list --reason space_mismatch --json',
    'rejected show 12',
    'rejected retry 12',
    'rejected retry --reason handler_failed',
    'rejected drop --all --because "a producer under test"',
  ],
  args: {
    action: { type: 'positional', required: true, description: 'list, show, retry or drop.' },
    id: { type: 'positional', required: false, description: 'One of them, by the id that "list" shows.' },
    reason: { type: 'string', description: 'Those with this reason.' },
    stream: { type: 'string', description: 'Those that lie in this stream.' },
    worker: { type: 'string', description: 'Those that this worker set aside.' },
    all: { type: 'boolean', description: 'list: settled ones too. retry, drop: everything that is open.' },
    limit: { type: 'string', default: '50', description: 'How many "list" shows, the newest.' },
    'wait-seconds': { type: 'string', default: '30', description: 'How long "retry" waits for the answers; 0: not.' },
    because: { type: 'string', default: 'let go by an operator', description: 'Why "drop" lets go of them.' },
    ...dataDirArgument,
  },
  async run({ args, output }) {
    const action = rejectedActions.find((one) => one === args.action);
    if (action === undefined) throw usageError(`"${args.action}" is no action`, 'Say list, show, retry or drop.');
    const selection = selectionOf(args);
    checkSelection(action, saysSomething(selection) || args.all === true, selection.id);
    const limit = numberOf('limit', args.limit, { min: 1, max: limitMax });
    const waitMs =
      numberOf('wait-seconds', args['wait-seconds'], { min: 0, max: waitSecondsMax, whole: false }) * 1_000;
    const { connection } = await openLog(args['data-dir']);
    try {
      const done = await actOn({ connection, action, selection, limit, waitMs, because: args.because });
      return answer(output, done);
    } finally {
      await connection.drain();
    }
  },
});

function checkSelection(action: RejectedAction, says: boolean, id: number | undefined): void {
  if (action === 'show' && id === undefined)
    throw usageError('"show" needs an id', 'See "lakehouse rejected list" for the ids.');
  if ((action === 'retry' || action === 'drop') && !says)
    throw usageError(`"${action}" needs to know which`, 'Give an id, --reason, --stream, --worker, or --all.');
}

function answer(output: Output, done: Awaited<ReturnType<typeof actOn>>): ExitCode {
  if (done.kind === 'absent')
    throw new CommandError(exitCodes.absent, {
      happened: `REJECTED has no dead letter ${done.id}`,
      means: 'It never was there, or its row has left the window that REJECTED keeps.',
      remedy: 'See "lakehouse rejected list --all".',
    });
  output.answer(done.document, done.text);
  return done.failed ? exitCodes.failed : exitCodes.done;
}
