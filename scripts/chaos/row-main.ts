import { writeSync } from 'node:fs';
import { type RowMessage, rowTaskSchema } from './row-message.ts';
import { allRows } from './rows/all.ts';
import { runRow } from './run-row.ts';

const say = (message: RowMessage) => writeSync(1, `${JSON.stringify(message)}\n`);

const { fault, withFault, mutation, ...request } = rowTaskSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
const row = allRows.find((one) => one.fault === fault);
if (row === undefined) throw new Error(`there is no row for ${fault}`);
const { outcome, failure, durationMs } = await runRow(row, { ...request, fault: withFault, mutation }, (line) =>
  say({ say: 'line', line }),
);
if (outcome === undefined) say({ say: 'failed', failure: failure ?? 'nothing was told', durationMs });
else say({ say: 'done', checks: [...outcome.checks], counts: { ...outcome.counts }, durationMs });
// What a row that broke off has left open is not waited for; the processes that it started end with this one.
process.exit(0);
