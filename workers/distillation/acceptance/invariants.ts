import { join } from 'node:path';
import {
  type EvidenceSkip,
  evidenceRecordSchema,
  evidenceSkipSchema,
} from '../../../schemas/distillation/evidence-record.ts';
import {
  preferenceSampleSchema,
  quarantineRowSchema,
  ragSampleSchema,
  sftSampleSchema,
} from '../../../schemas/distillation/exports.ts';
import {
  driftReportSchema,
  runSummarySchema,
  stageNames,
  stageReceiptSchema,
} from '../../../schemas/distillation/receipts.ts';
import { scoreCategories, scoredRunSchema } from '../../../schemas/distillation/scored-run.ts';
import { canonicalSha256 } from '../canonical-json.ts';
import type { SourceLine } from '../evidence/make-evidence.ts';
import { readRows } from '../files/json-lines.ts';
import { jsonlFiles, layout } from '../files/layout.ts';
import { type RunResult, runAll } from '../run/run.ts';
import type { StageContext } from '../run/stage.ts';
import { acceptanceFiles } from './fixture-rows.ts';

/** One sentence that has to be true, and what was found. */
export interface Invariant {
  readonly sentence: string;
  readonly holds: boolean;
  readonly found: string;
}

type Row = Readonly<Record<string, unknown>>;

/** What two runs over the fixture left behind: the first in one folder, the second in another, at the same time. */
export interface AcceptanceEvidence {
  readonly first: RunResult;
  /** Over the same folder as the first. */
  readonly again: RunResult;
  /** Over an empty folder. */
  readonly elsewhere: RunResult;
  readonly evidence: readonly Row[];
  readonly scored: readonly Row[];
  readonly skips: readonly Row[];
  readonly rag: readonly Row[];
  readonly sft: readonly Row[];
  readonly preference: readonly Row[];
  readonly quarantined: readonly Row[];
  /** The lines of all files, before and after the second run. */
  readonly linesBefore: number;
  readonly linesAfter: number;
}

const recordedAt = '2026-04-27T06:00:00.000Z';

/** Runs the fixture rows through the pipeline below `root`, which is empty, and checks every invariant. */
export async function checkAcceptance(root: string): Promise<Invariant[]> {
  return acceptanceInvariants(await gatherAcceptance(root));
}

export async function gatherAcceptance(root: string): Promise<AcceptanceEvidence> {
  const lines: SourceLine[] = [...acceptanceFiles()].flatMap(([stem, texts]) =>
    texts.map((text, lineOffset) => ({ stem, lineOffset, text })),
  );
  const here = join(root, 'here');
  const context = (runId: string, at: string): StageContext => ({
    root: at,
    runId,
    recordedAt,
    gitCommit: null,
    monotonicMs: () => 0,
    progress: () => undefined,
  });
  const options = { includeReview: false, includePartial: false };
  const first = await runAll(lines, options, context('acceptance-1', here));
  const linesBefore = await countLines(here);
  const again = await runAll(lines, options, context('acceptance-2', here));
  const elsewhere = await runAll(lines, options, context('acceptance-1', join(root, 'elsewhere')));
  return {
    first,
    again,
    elsewhere,
    evidence: await rowsBelow(here, layout.evidence),
    scored: await rowsBelow(here, layout.scoredRuns),
    skips: await rowsOf(here, layout.skips),
    rag: await rowsOf(here, layout.exports.rag),
    sft: await rowsOf(here, layout.exports.sft),
    preference: await rowsOf(here, layout.exports.preference),
    quarantined: await rowsBelow(here, 'exports/quarantine'),
    linesBefore,
    linesAfter: await countLines(here),
  };
}

/**
 * The twenty-two invariants of the acceptance gate. The original's list is not known; these are this project's own.
 */
export function acceptanceInvariants(given: AcceptanceEvidence): Invariant[] {
  const { first, again, elsewhere, evidence, scored, skips, rag, sft, preference, quarantined } = given;
  const stage = (name: (typeof stageNames)[number]) => first.receipts.find((receipt) => receipt.stage === name)?.stats;
  const counted = (of: readonly Row[], name: string, value: unknown) => of.filter((row) => row[name] === value).length;
  const check = (sentence: string, found: unknown, expected: unknown): Invariant => {
    const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
    return { sentence, holds: left === right, found: `${left}, not ${right}` };
  };
  const all = (sentence: string, rows: readonly unknown[], good: (row: never) => boolean): Invariant => {
    const bad = rows.filter((row) => !good(row as never));
    return { sentence, holds: rows.length > 0 && bad.length === 0, found: `${bad.length} of ${rows.length} do not` };
  };
  const valid = (schema: { safeParse(value: unknown): { success: boolean } }) => (row: unknown) =>
    schema.safeParse(row).success;
  const signed = (row: Row) => /^[0-9a-f]{64}$/.test(String((row.provenance as Row | undefined)?.sig_hash));
  const exported = [...rag, ...sft, ...preference];
  return [
    check(
      'Of 15 rows 14 become evidence and 1 is skipped.',
      [stage('collect')?.records_in, evidence.length, skips.length],
      [15, 14, 1],
    ),
    all('Every evidence record fits its schema.', evidence, valid(evidenceRecordSchema)),
    all(
      'The skip is written down with its reason and where it came from.',
      skips,
      (row: EvidenceSkip) =>
        valid(evidenceSkipSchema)(row) && row.provenance.source_file === 'data/_kb/scrum_reviews.jsonl',
    ),
    all('Every record has a signature of 64 lower-case hex digits.', evidence, signed),
    check(
      'The first row of every source has line offset 0.',
      evidence.filter((row) => (row.provenance as Row).line_offset === 0).length,
      6,
    ),
    check(
      'Every evidence record is scored, once.',
      new Set(scored.map((row) => (row.provenance as Row).sig_hash)).size,
      evidence.length,
    ),
    all('Every score fits its schema and gives a reason.', scored, valid(scoredRunSchema)),
    check(
      'Six rows are accepted, two partially, four rejected and two wait for a person.',
      scoreCategories.map((name) => counted(scored, 'category', name)),
      [6, 2, 4, 2],
    ),
    all(
      'No rejected row is among the playbooks.',
      rag,
      (row: Row) => row.success_score !== 'rejected' && row.source_category !== 'rejected',
    ),
    check(
      'The playbooks are the accepted and the partially accepted rows.',
      [counted(rag, 'success_score', 'accepted'), counted(rag, 'success_score', 'partially_accepted'), rag.length],
      [6, 2, 8],
    ),
    all('Training samples are of accepted rows alone.', sft, (row: Row) => row.quality_score === 'accepted'),
    all(
      'Playbooks, samples and pairs fit their schemas.',
      [
        rag.every(valid(ragSampleSchema)),
        sft.every(valid(sftSampleSchema)),
        preference.every(valid(preferenceSampleSchema)),
      ],
      (fits: boolean) => fits,
    ),
    check('There is one pair, of the two reviews of one file.', preference.map((row) => row.reason).length, 1),
    all(
      'No pair is of one run or of one text.',
      preference,
      (row: Row) => row.chosen !== row.rejected && row.chosen_run_id !== row.rejected_run_id,
    ),
    all('Every exported row says where it came from.', exported, signed),
    check('Every exported row has an id of its own.', new Set(exported.map(({ id }) => id)).size, exported.length),
    check(
      'Quarantine accounts for every row that an exporter refused.',
      [14 - rag.length, 14 - sft.length],
      [counted(quarantined, 'exporter', 'rag'), counted(quarantined, 'exporter', 'sft')],
    ),
    all('Every quarantined row fits its schema.', quarantined, valid(quarantineRowSchema)),
    check(
      'Every stage left a receipt that fits its schema, the summary and the drift report too.',
      [
        first.receipts.filter(valid(stageReceiptSchema)).length,
        valid(runSummarySchema)(first.summary),
        valid(driftReportSchema)(first.drift),
      ],
      [stageNames.length, true, true],
    ),
    check(
      'A second run at the same time adds no line to any file, and there are some.',
      [given.linesAfter, given.linesBefore > 0],
      [given.linesBefore, true],
    ),
    check(
      'The same rows at the same time give the same run hash and the same files, in any folder.',
      [
        again.summary.run_hash,
        canonicalSha256(elsewhere.receipts.map(({ outputs }) => outputs)),
        filesOf(elsewhere) > 0,
      ],
      [first.summary.run_hash, canonicalSha256(first.receipts.map(({ outputs }) => outputs)), true],
    ),
    check(
      'The second run finds the first by itself, and no drift.',
      [again.drift.prior_run_id, again.drift.severity, again.drift.flags],
      ['acceptance-1', 'ok', []],
    ),
  ];
}

/** Files that a run made and that hold something: two runs that both made nothing are equal as well. */
function filesOf({ receipts }: RunResult): number {
  return receipts.flatMap(({ outputs }) => outputs).filter(({ records }) => records > 0).length;
}

async function rowsOf(root: string, path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { row } of readRows<Row>(join(root, path))) rows.push(row);
  return rows;
}

async function rowsBelow(root: string, folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const path of await jsonlFiles(root, folder)) rows.push(...(await rowsOf(root, path)));
  return rows;
}

async function countLines(root: string): Promise<number> {
  return (await rowsBelow(root, '.')).length;
}
