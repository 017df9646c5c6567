import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { locateServer } from '../../streams/server/locate.ts';
import { formatServerVersion } from '../../streams/server/version.ts';
import { projectDirectory } from '../bench/project.ts';
import { readSurroundings } from '../bench/surroundings.ts';
import { runCampaign } from '../chaos/campaign.ts';
import { type FaultId, faultIds } from '../chaos/fault-row.ts';
import {
  type CampaignReport,
  campaignText,
  createCampaignReport,
  readCampaignReport,
  redOf,
  writeCampaignReport,
} from '../chaos/report.ts';
import { runRowProcess } from '../chaos/row-process.ts';
import { allRows } from '../chaos/rows/all.ts';
import { numberFlag } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { usageError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';

const seedMax = 2 ** 31 - 1;
const minutesMax = 24 * 60;

export default command({
  summary: 'Breaks the system in every way of the fault table, on servers of its own, and tells what held.',
  examples: ['chaos --short', 'chaos --fault F1,F6 --seed 7', 'chaos --minutes 60 --json', 'chaos --again'],
  args: {
    fault: {
      type: 'string',
      valueHint: 'F1,F6',
      description: 'Only these; their report lies beside that of the whole.',
    },
    seed: { type: 'string', valueHint: 'N', description: 'Makes the same history again; drawn where it is left out.' },
    minutes: { type: 'string', valueHint: 'M', description: 'Rows that repeat themselves share about so long.' },
    jobs: {
      type: 'string',
      default: '1',
      valueHint: 'N',
      description: 'Rows that run side by side; what they measure of time says less then.',
    },
    short: { type: 'boolean', description: 'As CI runs it: minutes instead of hours.' },
    mutations: {
      type: 'boolean',
      default: true,
      description: 'Also breaks guards on purpose, to show that it is found.',
      negativeDescription: 'Leaves the broken guards out.',
    },
    again: {
      type: 'boolean',
      description: 'Rows that did not pass, or those of --fault, once more; the others stay as the report has them.',
    },
    output: { type: 'string', valueHint: 'DIR', description: 'Where the report is written; reports/chaos otherwise.' },
  },
  async run({ args, every, output, rawArguments }) {
    const directory = args.output ?? join(projectDirectory(), 'reports', 'chaos');
    const scale = args.short === true ? 'short' : 'long';
    const before = args.again === true ? await readCampaignReport(directory, scale) : undefined;
    if (args.again === true && before === undefined)
      throw usageError(`there is no report of a whole campaign in ${directory}`, 'Run the campaign without --again.');
    const faults = chosenFaults(every('fault'), before);
    const seed = numberFlag('seed', args.seed, { min: 0, max: seedMax }) ?? randomInt(seedMax);
    const minutes = numberFlag('minutes', args.minutes, { min: 1, max: minutesMax });
    const jobs = numberFlag('jobs', args.jobs, { min: 1, max: faultIds.length }) ?? 1;
    const withMutations = args.mutations !== false;
    const binary = await locateServer({ report: output.note });
    const surroundings = readSurroundings(
      'dist/scripts/lakehouse.js',
      ['chaos', ...rawArguments],
      formatServerVersion(binary.version),
    );
    output.note(`seed ${seed}`);
    const began = performance.now();
    const reports = await runCampaign(
      {
        rows: allRows,
        faults,
        seed,
        scale,
        withMutations,
        budgetMs: minutes === undefined ? undefined : minutes * 60_000,
        jobs,
      },
      { run: runRowProcess, report: output.note, monotonicMs: () => performance.now() },
    );
    const durationMs = Math.round(performance.now() - began);
    const report = createCampaignReport(
      { reports, seed, scale, withMutations, durationMs },
      surroundings,
      new Date().toISOString(),
      before,
    );
    const files = await writeCampaignReport(report, directory);
    output.answer(report, campaignText(report));
    output.note(`written: ${files.join(', ')}`);
    return report.passed ? exitCodes.done : exitCodes.differs;
  },
});

function chosenFaults(named: readonly string[], before: CampaignReport | undefined): FaultId[] {
  if (before === undefined || named.length > 0) return readFaults(named);
  const red = redOf(before);
  if (red.length === 0) throw usageError('every row of the report has passed', 'Name rows with --fault.');
  return red;
}

function readFaults(named: readonly string[]): FaultId[] {
  const wanted = new Set(named.map((name) => name.trim().toUpperCase()));
  const unknown = [...wanted].find((name) => !faultIds.some((fault) => fault === name));
  if (unknown !== undefined) throw usageError(`"${unknown}" is no fault of the table`, 'They are F1 to F24.');
  return wanted.size === 0 ? [...faultIds] : faultIds.filter((fault) => wanted.has(fault));
}
