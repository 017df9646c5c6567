import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SourceLine } from '../evidence/make-evidence.ts';
import { readLines } from '../files/json-lines.ts';
import { jsonlFiles, layout } from '../files/layout.ts';
import { runAll } from '../run/run.ts';
import type { StageContext } from '../run/stage.ts';
import { acceptanceFiles } from './fixture-rows.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakehouse-distillation-'));
});
afterEach(() => rm(root, { recursive: true }));

const lines: SourceLine[] = [...acceptanceFiles()].flatMap(([stem, texts]) =>
  texts.map((text, lineOffset) => ({ stem, lineOffset, text })),
);
const context = (runId: string, recordedAt = '2026-04-27T06:00:00.000Z', at = root): StageContext => ({
  root: at,
  runId,
  recordedAt,
  gitCommit: 'a'.repeat(40),
  monotonicMs: () => 0,
  progress: () => undefined,
});
const options = { includeReview: false, includePartial: false };
const run = (runId: string, recordedAt?: string, given = lines) => runAll(given, options, context(runId, recordedAt));

async function rows(path: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const { text } of readLines(join(root, path))) found.push(JSON.parse(text));
  return found;
}

async function everyByte(): Promise<string> {
  const files = [...(await jsonlFiles(root, '.'))];
  return (await Promise.all(files.map(async (file) => `${file}\n${await readFile(join(root, file), 'utf8')}`))).join(
    '\n',
  );
}

describe('a distillation run over the acceptance rows', () => {
  it('collects 14 and skips 1, scores 6 / 4 / 4, and exports one pair', async () => {
    const { summary, receipts, drift } = await run('first');
    const stats = Object.fromEntries(summary.stages.map((stage) => [stage.stage, stage]));
    expect(stats.collect).toMatchObject({ records_in: 15, records_out: 14, skipped: 1, passed: false });
    expect(stats.score).toMatchObject({
      records_in: 14,
      records_out: 14,
      accepted: 6,
      rejected: 4,
      quarantined: 4,
      passed: true,
    });
    expect(summary.datasets).toEqual({ rag: 8, sft: 6, preference: 1 });
    expect(summary.overall_passed).toBe(false);
    expect(receipts.map(({ stage }) => stage)).toEqual([
      'collect',
      'score',
      'export-rag',
      'export-sft',
      'export-preference',
    ]);
    expect(drift).toMatchObject({ prior_run_id: null, severity: 'ok' });
    expect(await rows(layout.skips)).toHaveLength(1);
    expect(await jsonlFiles(root, layout.evidence)).toContain('evidence/2026/04/27/scrum_reviews.jsonl');
  });

  it('writes nothing new the second time, nor on another day, and finds the run before by itself', async () => {
    const first = await run('first');
    const written = await everyByte();
    const again = await run('again');
    expect(await everyByte()).toBe(written);
    expect(again.summary).toMatchObject({ run_hash: first.summary.run_hash, datasets: first.summary.datasets });
    expect(again.drift).toMatchObject({ prior_run_id: 'first', severity: 'ok', flags: [] });
    const later = await run('later', '2026-12-24T06:00:00.000Z');
    expect(await everyByte()).toBe(written);
    expect(later.summary.run_hash).toBe(first.summary.run_hash);
  });

  it('has a run hash of content alone: equal in another folder, another one at another time', async () => {
    const { summary } = await run('first');
    const elsewhere = join(root, 'elsewhere');
    const same = await runAll(lines, options, {
      ...context('other-id', undefined, elsewhere),
      gitCommit: null,
      monotonicMs: () => Math.random(),
    });
    expect(same.summary.run_hash).toBe(summary.run_hash);
    const later = await runAll(lines, options, context('x', '2026-04-28T06:00:00.000Z', join(root, 'later')));
    expect(later.summary.run_hash).not.toBe(summary.run_hash);
  });

  it('raises an alert where a stage made something else of the same input', async () => {
    await run('first');
    await appendFile(join(root, layout.exports.rag), `${JSON.stringify({ id: 'rag-from-nowhere' })}\n`);
    expect((await run('second')).drift).toMatchObject({
      severity: 'alert',
      flags: expect.arrayContaining(['nondeterministic:export-rag']),
    });
  });

  it('cuts off a line that a crash tore, and writes it again', async () => {
    await run('first');
    const path = join(root, layout.exports.sft);
    const whole = await readFile(path, 'utf8');
    await appendFile(path, '{"id":"sft-to');
    await run('second');
    expect(await readFile(path, 'utf8')).toBe(whole);
  });

  it('keeps every refused row with its reason', async () => {
    await run('first');
    const sft = await rows(layout.quarantine('sft'));
    expect(sft.map(({ reason }) => reason).sort()).toEqual([
      ...new Array(2).fill('category_disallowed'),
      ...new Array(6).fill('unsafe_sft_category'),
    ]);
    const rag = await rows(layout.quarantine('rag'));
    expect(rag.filter(({ reason }) => reason === 'unsafe_rag_category')).toHaveLength(4);
  });

  it('refuses an id that is taken or that is a path', async () => {
    await run('first');
    await expect(run('first')).rejects.toThrow('is taken');
    await expect(run('../first')).rejects.toThrow('is no run id');
  });
});
