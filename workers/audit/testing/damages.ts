import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { jsonlFiles, layout } from '../../distillation/files/layout.ts';
import type { AuditContext } from '../phase.ts';
import { reconDocument } from '../phases/recon.ts';
import { replayLogPath } from '../phases/replay.ts';

/** The id of the run that the damaged files are of. */
export const livedRunId = 'lived';

/** What can go wrong, and the one required check that has to notice it. The table in the README is made of these. */
export interface Damage {
  readonly what: string;
  readonly check: string;
  /** Damages the files of a data directory; the project's documents lie in its folder `project`. */
  readonly files?: (root: string) => Promise<void>;
  /** Damages what the audit runs. */
  readonly context?: (context: AuditContext) => AuditContext;
}

type Row = Record<string, unknown>;
const { rag, sft, preference } = layout.exports;

/** Changes members of the first row of a file. */
const changeFirst = (path: string, change: (row: Row) => object) => async (root: string) => {
  const text = await readFile(join(root, path), 'utf8');
  const [first = '{}', ...rest] = text.trim().split('\n');
  const row: Row = JSON.parse(first);
  const lines = [JSON.stringify({ ...row, ...change(row) }), ...rest];
  await writeFile(join(root, path), `${lines.join('\n')}\n`);
};

/** The same for the file of a source, on whichever day it lies. */
const changeFirstOf = (folder: string, stem: string, change: (row: Row) => object) => async (root: string) => {
  const path = (await jsonlFiles(root, folder)).find((file) => file.endsWith(`/${stem}.jsonl`));
  if (path === undefined) throw new Error(`there is nothing of ${stem} below ${folder}`);
  await changeFirst(path, change)(root);
};

const inRun = (name: string) => join(layout.runs, livedRunId, name);
const changeJson = (name: string, change: (value: Row) => object) => async (root: string) => {
  const path = join(root, inRun(name));
  const value: Row = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...value, ...change(value) }));
};
const append = (path: string, text: string) => (root: string) => appendFile(join(root, path), text);

export const damages: readonly Damage[] = [
  {
    what: 'the document that tells how distillation works is gone',
    check: 'recon_document',
    files: (root) => rm(join(root, 'project', reconDocument)),
  },
  {
    what: 'a test of the schemas fails',
    check: 'schema_tests',
    context: (context) => ({ ...context, runSchemaTests: async () => ({ passed: false, summary: '1 failed' }) }),
  },
  {
    what: 'an evidence record of another version',
    check: 'evidence_valid',
    files: changeFirstOf(layout.evidence, 'audits', () => ({ schema_version: 2 })),
  },
  {
    what: 'a score of no category',
    check: 'scores_valid',
    files: changeFirstOf(layout.scoredRuns, 'audits', () => ({ category: 'splendid' })),
  },
  {
    what: 'a rejected row among the training samples',
    check: 'sft_without_forbidden_scores',
    files: changeFirst(sft, () => ({ quality_score: 'rejected' })),
  },
  {
    what: 'a row for review among the training samples',
    check: 'sft_without_forbidden_scores',
    files: changeFirst(sft, () => ({ quality_score: 'needs_human_review' })),
  },
  {
    what: 'a rejected row among the playbooks',
    check: 'rag_without_rejected',
    files: changeFirst(rag, () => ({ source_category: 'rejected' })),
  },
  {
    what: 'a pair of one run',
    check: 'preference_without_self_pairs',
    files: changeFirst(preference, ({ chosen_run_id }) => ({ rejected_run_id: chosen_run_id })),
  },
  {
    what: 'a pair of one text',
    check: 'preference_without_identical_texts',
    files: changeFirst(preference, ({ chosen }) => ({ rejected: chosen })),
  },
  {
    what: 'an upper-case signature',
    check: 'exports_with_provenance',
    files: changeFirst(rag, ({ provenance }) => ({
      provenance: { ...(provenance as object), sig_hash: 'A'.repeat(64) },
    })),
  },
  {
    what: 'a signature of 63 digits',
    check: 'exports_with_provenance',
    files: changeFirst(sft, ({ provenance }) => ({
      provenance: { ...(provenance as object), sig_hash: 'a'.repeat(63) },
    })),
  },
  {
    what: 'a torn last line of the training samples',
    check: 'exports_with_provenance',
    files: append(sft, '{"schema_version":1,"id":"sft-'),
  },
  {
    what: 'a missing receipt',
    check: 'receipts_present',
    files: (root) => rm(join(root, inRun('score.json'))),
  },
  {
    what: 'a receipt whose validation is no object',
    check: 'receipts_valid',
    files: changeJson('collect.json', () => ({ validation: true })),
  },
  {
    what: 'a summary whose total is no number',
    check: 'summary_valid',
    files: changeJson('summary.json', () => ({ total_records_in: 'many' })),
  },
  {
    what: 'a short run hash',
    check: 'run_hash_sha256',
    files: changeJson('summary.json', ({ run_hash }) => ({ run_hash: String(run_hash).slice(0, 63) })),
  },
  {
    what: 'an acceptance gate that does not hold',
    check: 'acceptance_gate',
    context: (context) => ({
      ...context,
      inScratchFolder: (work) =>
        context.inScratchFolder(async (folder) => {
          const stale = join(folder, 'here', layout.skips);
          await mkdir(dirname(stale), { recursive: true });
          await writeFile(stale, '{"reason":"stale","provenance":{"source_file":"another","line_offset":0}}\n');
          return work(folder);
        }),
    }),
  },
  {
    what: 'a replay that asks a larger model under local only',
    check: 'replay_dry_runs',
    context: (context) => ({
      ...context,
      replayDry: (request, playbooks) => context.replayDry({ ...request, localOnly: false }, playbooks),
    }),
  },
  {
    what: 'a malformed tail of the log of replays',
    check: 'replay_log_tail',
    files: append(replayLogPath, '{"schema":"replay_run\n'),
  },
  {
    what: 'a torn last line of the log of replays',
    check: 'replay_log_tail',
    files: append(replayLogPath, '{"schema":"replay_run.v1","recorded_at":"2026-04-27T06:00:00.000Z"}'),
  },
];
