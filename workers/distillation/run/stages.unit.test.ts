import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stageNames } from '../../../schemas/distillation/receipts.ts';
import { acceptanceFiles } from '../acceptance/fixture-rows.ts';
import { layout } from '../files/layout.ts';
import { readRun, runAll, runStages, unendedRun } from './run.ts';

const lines = [...acceptanceFiles()].flatMap(([stem, texts]) =>
  texts.map((text, lineOffset) => ({ stem, lineOffset, text })),
);
const strict = { includeReview: false, includePartial: false };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-stages-'));
});
afterAll(() => rm(folder, { recursive: true }));

const contextIn = (name: string, runId: string) => ({
  root: join(folder, name),
  runId,
  recordedAt: '2026-04-27T06:00:00.000Z',
  gitCommit: null,
  monotonicMs: () => 0,
  progress: () => undefined,
});

describe('stages one by one', () => {
  it('come to the same as all at once, and leave a receipt each', async () => {
    const whole = await runAll(lines, strict, contextIn('whole', 'all'));
    const context = contextIn('parts', 'by-hand');
    const inputs = { lines, options: strict };
    for (const [at, stage] of stageNames.entries()) {
      const { receipts, missing, ended } = await runStages([stage], inputs, context);
      expect(receipts.map((receipt) => receipt.stage)).toEqual([stage]);
      expect(await readdir(join(context.root, layout.runs, 'by-hand'))).toContain(`${stage}.json`);
      expect(missing).toEqual(stageNames.slice(at + 1));
      expect(ended === undefined).toBe(at < stageNames.length - 1);
      const goesOn = await unendedRun(context.root, stageNames.slice(at + 1));
      expect(goesOn).toBe(at < stageNames.length - 1 ? 'by-hand' : undefined);
    }
    const run = await readRun(context.root, 'by-hand');
    expect(run?.summary).toMatchObject({ run_hash: whole.summary.run_hash, overall_passed: false });
    expect(run?.summary.stages).toEqual(whole.summary.stages);
  });

  it('are refused where the run has them already, and a new run goes on beside it', async () => {
    const inputs = { lines, options: strict };
    const context = contextIn('again', 'one');
    await runStages(['collect', 'score'], inputs, context);
    await expect(runStages(['score'], inputs, context)).rejects.toThrow('the run "one" has its score already');
    expect(await unendedRun(context.root, ['score'])).toBeUndefined();
    expect(await unendedRun(context.root, ['export-rag'])).toBe('one');
    await expect(runStages(['score'], inputs, contextIn('again', '../out'))).rejects.toThrow('is no run id');
    // What can not be read is nobody's to continue.
    await writeFile(join(context.root, layout.runs, 'one', 'score.json'), '{');
    expect(await unendedRun(context.root, ['export-rag'])).toBeUndefined();
  });

  it('export rows under review and partial ones where that is asked for', async () => {
    const context = contextIn('more', 'one');
    const options = { includeReview: true, includePartial: true };
    const { receipts } = await runStages(stageNames, { lines, options }, context);
    const [strictly] = [await readRun(join(folder, 'whole'), 'all')];
    const exported = Object.fromEntries(receipts.map(({ stage, stats }) => [stage, stats.records_out]));
    // Of the fifteen rows two wait for a person, and two are partially accepted.
    expect(exported['export-rag']).toBe((strictly?.summary.datasets.rag ?? 0) + 2);
    expect(exported['export-sft']).toBe((strictly?.summary.datasets.sft ?? 0) + 2);
    const taught = await readFile(join(context.root, layout.exports.sft), 'utf8');
    expect(taught).not.toMatch(/"quality_score":"(rejected|needs_human_review)"/);
  });
});
