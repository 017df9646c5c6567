import type { VerifyReport } from '../../workers/rebuild/task.ts';
import { numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { gatewayArguments } from '../command/gateway.ts';
import { operatorEnvironment } from '../command/log-access.ts';
import { textTable } from '../command/table.ts';
import { exitCodes } from '../exit-codes.ts';
import { runTask } from '../rebuild/run-task.ts';

export default command({
  summary: 'Proves what is served: against a clean fold of VECTORS and PLAYBOOKS, and against INGEST alone.',
  examples: ['verify', 'verify --json'],
  args: {
    'wait-seconds': {
      type: 'string',
      default: '120',
      description: 'How long to wait until everything that was said is embedded.',
    },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const settleDeadlineMs = numberOf('wait-seconds', args['wait-seconds'], { min: 1, max: 86_400 }) * 1_000;
    const environment = await operatorEnvironment(args['data-dir']);
    const result = await runTask({ task: 'verify', settleDeadlineMs }, environment, ({ step }) =>
      output.note(`${step} ...`),
    );
    if (result.say !== 'verified') throw new Error(`a verification answered "${result.say}"`);
    output.answer(result.report, reportText(result.report));
    return result.report.equal ? exitCodes.done : exitCodes.differs;
  },
});

/** Both oracles as a person reads them. */
export function reportText({ digests, ingest, equal }: VerifyReport): string {
  const rows = digests.map(({ kind, corpus, space, live, equal: same }) => [
    same ? 'equal' : 'DIFFERS',
    kind,
    corpus,
    space,
    live?.slice(0, 16) ?? 'none',
  ]);
  const table = textTable(
    [{ title: 'digest' }, { title: 'kind' }, { title: 'corpus' }, { title: 'space' }, { title: 'live' }],
    rows,
  );
  const differences = ingest.differences.map(
    ({ corpus, id, expected, found }) => `  ${corpus}/${id}\n    INGEST says  ${expected}\n    served is    ${found}`,
  );
  const second = `${ingest.documents} documents up to INGEST ${ingest.until}: ${ingest.differing} differ, ${ingest.rejected} versions rejected`;
  const verdict = equal ? 'The served state is the fold of the log.' : 'The served state is NOT the fold of the log.';
  return [table, '', second, ...differences, '', verdict].join('\n');
}
