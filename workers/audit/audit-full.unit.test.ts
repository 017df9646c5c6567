import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditReportSchema } from '../../schemas/distillation/audit.ts';
import { acceptanceFiles } from '../distillation/acceptance/fixture-rows.ts';
import { layout } from '../distillation/files/layout.ts';
import { runAll } from '../distillation/run/run.ts';
import { replay } from '../replay/replay.ts';
import { retrieveByWords } from '../replay/retrieve.ts';
import { type AuditMoment, auditFull, baselineOf } from './audit-full.ts';
import { auditMarkdown } from './markdown.ts';
import type { AuditContext } from './phase.ts';
import { reconDocument } from './phases/recon.ts';
import { replayLogPath } from './phases/replay.ts';
import { type Damage, damages, livedRunId } from './testing/damages.ts';

const recordedAt = '2026-04-27T06:00:00.000Z';
let folder: string;
let pristine: string;
let copies = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-audit-'));
  pristine = join(folder, 'pristine');
  const lines = [...acceptanceFiles()].flatMap(([stem, texts]) =>
    texts.map((text, lineOffset) => ({ stem, lineOffset, text })),
  );
  await runAll(
    lines,
    { includeReview: false, includePartial: false },
    {
      root: pristine,
      runId: livedRunId,
      recordedAt,
      gitCommit: 'a'.repeat(40),
      monotonicMs: () => 0,
      progress: () => undefined,
    },
  );
  await writeFile(join(pristine, replayLogPath), `{"schema":"replay_run.v1","recorded_at":"${recordedAt}"}\n`);
  await mkdir(dirname(join(pristine, 'project', reconDocument)), { recursive: true });
  await writeFile(join(pristine, 'project', reconDocument), '# How it is made\n');
});
afterAll(() => rm(folder, { recursive: true }));

const contextOf = (root: string): AuditContext => ({
  root,
  projectRoot: join(root, 'project'),
  runSchemaTests: async () => ({ passed: true, summary: '45 passed' }),
  inScratchFolder: async (work) => {
    const scratch = await mkdtemp(join(folder, 'scratch-'));
    return work(scratch);
  },
  replayDry: (request, playbooks) =>
    replay(
      request,
      { local: 'local', escalation: 'large' },
      {
        retriever: 'jaccard',
        retrieve: (task) => retrieveByWords(task, playbooks()),
        chat: async () => Promise.reject(new Error('a model was asked')),
        monotonicMs: () => 0,
        recordedAt,
      },
    ),
});
const moment: AuditMoment = { generatedAt: recordedAt, gitCommit: null, prior: undefined, progress: () => undefined };

/** A copy of the stack's files with a damage in it. */
async function damaged(damage: (root: string) => Promise<void>): Promise<string> {
  const root = join(folder, `copy-${copies++}`);
  await cp(pristine, root, { recursive: true, preserveTimestamps: true });
  await damage(root);
  return root;
}

describe('audit-full', () => {
  it('lets a stack that has lived through the acceptance rows pass: 16 of 16, 22 checks, no phase skipped', async () => {
    const report = await auditFull(contextOf(pristine), moment);
    expect(report.checks.filter(({ required, passed }) => required && !passed)).toEqual([]);
    expect(report).toMatchObject({ passed: true, required: { passed: 16, total: 16 }, skipped_phases: [] });
    expect(report.checks).toHaveLength(22);
    expect(auditReportSchema.safeParse(report).error).toBeUndefined();
    expect(report.metrics).toEqual({
      p2_evidence_rows: 14,
      p2_evidence_skips: 1,
      p3_accepted: 6,
      p3_partial: 2,
      p3_rejected: 4,
      p3_human: 2,
      p4_rag_rows: 8,
      p4_sft_rows: 6,
      p4_pref_pairs: 1,
      p4_total_quarantined: 14,
    });
  });

  const failedAfter = async ({ files = async () => undefined, context = (given) => given }: Damage) => {
    const report = await auditFull(context(contextOf(await damaged(files))), moment);
    expect(report.passed).toBe(false);
    return report.checks.filter(({ required, passed }) => required && !passed).map(({ name }) => name);
  };

  it.each(damages)('notices $what, and nothing else', async (damage) => {
    expect(await failedAfter(damage)).toEqual([damage.check]);
  });

  const checkOf = (what: string) => damages.find((damage) => damage.what === what) ?? { what, check: 'none' };
  it('lesson 31: fails on a malformed tail of the log of replays', async () => {
    expect(await failedAfter(checkOf('a malformed tail of the log of replays'))).toEqual(['replay_log_tail']);
  });
  it('lesson 32: fails on a short run hash', async () => {
    expect(await failedAfter(checkOf('a short run hash'))).toEqual(['run_hash_sha256']);
  });

  it('has a damage for every required check, and all of them are in the docs', async () => {
    const { checks } = await auditFull(contextOf(pristine), moment);
    const names = checks.filter(({ required }) => required).map(({ name }) => name);
    expect([...new Set(damages.map(({ check }) => check))].sort()).toEqual(names.sort());
    const readme = await readFile(join(import.meta.dirname, 'README.md'), 'utf8');
    const rows = [...readme.matchAll(/^\| ([^|]*?) +\| `([a-z0-9_]+)` +\|$/gm)].map(([, what, check]) => [what, check]);
    expect(rows).toEqual(damages.map(({ what, check }) => [what, check]));
  });

  it('tells of rows that are no JSON, and goes on', async () => {
    const root = await damaged((at) => appendFile(join(at, layout.exports.rag), 'no row\n'));
    const report = await auditFull(contextOf(root), moment);
    expect(report.checks.filter(({ required, passed }) => required && !passed)).toMatchObject([
      { name: 'exports_with_provenance', notes: [`${layout.exports.rag}:9`] },
    ]);
  });

  it('lesson 15: skips the tests of the schemas where there is no command for them, and says so', async () => {
    const report = await auditFull({ ...contextOf(pristine), runSchemaTests: undefined }, moment);
    expect(report.skipped_phases).toEqual([{ phase: 1, reason: 'the command of the schema tests is empty' }]);
    expect(report.required).toEqual({ passed: 15, total: 15 });
    expect(auditMarkdown(report)).toContain('Skipped phases: 1 (phase 1');
  });

  it('fails on an empty root, and tells what is missing', async () => {
    const report = await auditFull(contextOf(join(folder, 'nothing')), moment);
    expect(report.passed).toBe(false);
    expect(report.checks.find(({ name }) => name === 'receipts_present')?.notes).toContain('score.json is missing');
  });

  it('lessons 12 and 14: counts what lies on disk, so that a second audit says the same and drifts by nothing', async () => {
    const first = await auditFull(contextOf(pristine), moment);
    const second = await auditFull(contextOf(pristine), { ...moment, prior: baselineOf(first) });
    expect(second.metrics).toEqual(first.metrics);
    expect(second.drift.map(({ flag }) => flag)).toEqual(new Array(10).fill('ok'));
    expect(first.drift.map(({ flag }) => flag)).toEqual(new Array(10).fill('first_run'));
    expect(auditMarkdown(second)).toContain('0/10 metrics flagged warn, 0 first-run');
  });

  it('lesson 30: reads training samples where the exporter writes them', () => {
    expect(layout.exports.sft).toBe('exports/sft/instruction_response.jsonl');
  });

  it('writes nothing below the root', async () => {
    const root = await damaged(async () => undefined);
    const before = await snapshot(root);
    await auditFull(contextOf(root), moment);
    expect(await snapshot(root)).toEqual(before);
  });
});

async function snapshot(root: string): Promise<string[]> {
  const { readdir, stat } = await import('node:fs/promises');
  const names = await readdir(root, { recursive: true });
  return Promise.all(names.sort().map(async (name) => `${name} ${(await stat(join(root, name))).mtimeMs}`));
}
