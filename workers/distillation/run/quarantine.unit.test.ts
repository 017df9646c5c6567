import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EvidenceRecord } from '../../../schemas/distillation/evidence-record.ts';
import { exporters, type QuarantineRow, quarantineReasons } from '../../../schemas/distillation/exports.ts';
import type { ScoredRun } from '../../../schemas/distillation/scored-run.ts';
import type { SourceLine } from '../evidence/make-evidence.ts';
import { readLines } from '../files/json-lines.ts';
import { layout } from '../files/layout.ts';
import { scorerVersion } from '../scoring/score-evidence.ts';
import { exportPairsStage, exportRowsStage } from './export.ts';
import { runAll } from './run.ts';
import { scoreStage } from './score.ts';
import type { StageContext } from './stage.ts';

const recordedAt = '2026-04-27T06:00:00.000Z';
const day = '2026/04/27';
let root: string;
let runs = 0;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakehouse-stages-'));
});
afterEach(() => rm(root, { recursive: true }));

const context = (): StageContext => ({
  root,
  runId: `run-${runs++}`,
  recordedAt,
  gitCommit: null,
  monotonicMs: () => 0,
  progress: () => undefined,
});
const options = { includeReview: false, includePartial: false };

async function rowsOf<Row>(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { text } of readLines(join(root, path))) rows.push(JSON.parse(text));
  return rows;
}

async function write(path: string, rows: readonly object[]): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

const review = (at: number, attempt: number): SourceLine => ({
  stem: 'scrum_reviews',
  lineOffset: at,
  text: JSON.stringify({
    run_id: `r${at}`,
    task_id: 'one task',
    file: `src/${at}.ts`,
    reviewed_at: recordedAt,
    accepted_on_attempt: attempt,
    review: `Text ${at}`,
  }),
});

describe('scores', () => {
  it('lesson 5: are made anew under a new version of the rules, once, and the newest counts', async () => {
    await runAll([review(0, 1), review(1, 1)], options, context());
    const path = `${layout.scoredRuns}/${day}/scrum_reviews.jsonl`;
    const scored = await rowsOf<ScoredRun>(path);
    const older = scored.map((row) => ({ ...row, scorer_version: 'v0.9.0', category: 'rejected' }));
    await write(path, older);
    await rm(join(root, 'exports'), { recursive: true });

    const { stats } = await scoreStage(context());
    expect(stats).toMatchObject({ records_in: 2, records_out: 2, accepted: 2 });
    const both = await rowsOf<ScoredRun>(path);
    expect(both.map(({ scorer_version }) => scorer_version)).toEqual([
      'v0.9.0',
      'v0.9.0',
      scorerVersion,
      scorerVersion,
    ]);
    await scoreStage(context());
    expect(await rowsOf(path)).toEqual(both);
    const exported = await exportRowsStage('rag', options, context());
    expect(exported.stats).toMatchObject({ records_in: 2, records_out: 2, quarantined: 0 });
  });
});

describe('samples of earlier runs', () => {
  it('are told of where their row would not be exported now', async () => {
    await runAll([review(0, 1), review(1, 1)], options, context());
    const path = `${layout.scoredRuns}/${day}/scrum_reviews.jsonl`;
    const [first] = await rowsOf<ScoredRun>(path);
    const worse = { ...first, category: 'rejected', scorer_version: 'v9.9.9' };
    expect((await exportRowsStage('sft', options, context())).warnings).toEqual([]);
    await appendFile(join(root, path), `${JSON.stringify(worse)}\n`);
    const { stats, warnings } = await exportRowsStage('sft', options, context());
    expect(stats).toMatchObject({ records_out: 1, quarantined: 1 });
    expect(warnings).toEqual([expect.stringContaining('1 rows of earlier runs would not be exported now')]);
  });
});

describe('quarantine', () => {
  it('has a row for each of the eleven reasons, and a second run adds none', async () => {
    const lines = Array.from({ length: 10 }, (_, at) => {
      const line = review(at, 1);
      const task = at < 2 ? 'of one run' : at < 4 ? 'of one text' : `task ${at}`;
      return { ...line, text: JSON.stringify({ ...JSON.parse(line.text), task_id: task }) };
    });
    await runAll(lines, options, context());
    await rm(join(root, 'exports'), { recursive: true });
    const evidence = `${layout.evidence}/${day}/scrum_reviews.jsonl`;
    const scored = `${layout.scoredRuns}/${day}/scrum_reviews.jsonl`;
    const [records, scores] = [await rowsOf<EvidenceRecord>(evidence), await rowsOf<ScoredRun>(scored)];
    const change = (rows: object[], at: number, members: object) => rows.splice(at, 1, { ...rows[at], ...members });
    const [record, score] = [records[0], scores[0]];
    if (record === undefined || score === undefined) throw new Error('a row is missing');
    change(scores, 1, { category: 'rejected', evidence_run_id: score.evidence_run_id });
    change(records, 1, { run_id: score.evidence_run_id });
    change(scores, 3, { category: 'rejected' });
    change(records, 3, { text: 'Text 2' });
    change(scores, 4, { provenance: { ...scores[4]?.provenance, line_offset: -1 } });
    change(records, 5, { text: '  ' });
    change(records, 6, { source_files: ['/etc/passwd'] });
    change(scores, 7, { category: 'splendid' });
    change(scores, 8, { category: 'needs_human_review' });
    change(records, 9, { run_id: 'another run' });
    await write(evidence, records);
    await write(scored, scores);
    // The same row on another day: its id is there already.
    await write(evidence.replace('27/', '28/'), [record]);
    await write(scored.replace('27/', '28/'), [score]);

    const run = async () => {
      for (const exporter of ['rag', 'sft'] as const) await exportRowsStage(exporter, options, context());
      await exportPairsStage(context());
      const refused = exporters.map((exporter) => rowsOf<QuarantineRow>(layout.quarantine(exporter)));
      return (await Promise.all(refused)).flat();
    };
    const refused = await run();
    expect([...new Set(refused.map(({ reason }) => reason))].sort()).toEqual([...quarantineReasons].sort());
    expect(await run()).toEqual(refused);
  });

  it('names the file and the line where an export was damaged', async () => {
    await runAll([review(0, 1), review(1, 1)], options, context());
    await appendFile(join(root, layout.exports.sft), 'no row\n');
    await expect(exportRowsStage('sft', options, context())).rejects.toThrow(`${layout.exports.sft}, line 3`);
  });
});
