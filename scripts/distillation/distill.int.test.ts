import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import { acceptanceFiles } from '../../workers/distillation/acceptance/fixture-rows.ts';
import { readEvidence } from '../../workers/distillation/evidence/read-evidence.ts';
import { runAll } from '../../workers/distillation/run/run.ts';
import { EvidenceDiffersError, importEvidence } from './import-evidence.ts';

let test: TestLog;
let folder: string;
beforeAll(async () => {
  test = await startTestLog();
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-evidence-'));
  for (const [stem, lines] of acceptanceFiles())
    await writeFile(join(folder, `${stem}.jsonl`), `${lines.join('\n')}\n`);
  await writeFile(join(folder, 'audit_baselines.jsonl'), '{}\n');
});
afterAll(async () => {
  await test[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('evidence from files', () => {
  it('is appended line by line, is not appended twice, and is continued where a file has grown', async () => {
    const first = await importEvidence(test.operator, folder, () => undefined);
    expect(first.left).toEqual(['audit_baselines.jsonl']);
    expect(first.files.reduce((sum, { appended }) => sum + appended, 0)).toBe(15);
    const again = await importEvidence(test.operator, folder, () => undefined);
    expect(again.files.every(({ appended, present, lines }) => appended === 0 && present === lines)).toBe(true);

    const grown =
      '{"finding_id":"later", "severity":"low","phase":"41","ts":"2026-04-28T00:00:00.000Z","evidence":"<b> & \\u00e9"}';
    const audits = acceptanceFiles().get('audits') ?? [];
    await writeFile(join(folder, 'audits.jsonl'), `${[...audits, grown].join('\n')}\n`);
    const later = await importEvidence(test.operator, folder, () => undefined);
    expect(later.files.find(({ stem }) => stem === 'audits')).toMatchObject({ appended: 1, present: audits.length });
    const last = (await test.readAll('EVIDENCE')).at(-1);
    expect(Buffer.from(last?.payload ?? '').toString('utf8')).toBe(grown);
  });

  it('becomes a run, with the place of each row among those of its source', async () => {
    const result = await runAll(
      readEvidence(test.operator).lines,
      { includeReview: false, includePartial: false },
      {
        root: join(folder, 'data'),
        runId: 'from-the-log',
        recordedAt: '2026-04-27T06:00:00.000Z',
        gitCommit: null,
        monotonicMs: () => 0,
        progress: () => undefined,
      },
    );
    expect(result.summary.stages[0]).toMatchObject({ records_in: 16, records_out: 15, skipped: 1 });
    expect(result.summary.datasets).toEqual({ rag: 9, sft: 7, preference: 1 });
  });

  it('refuses a file that begins otherwise than the log, or is shorter', async () => {
    await writeFile(join(folder, 'outcomes.jsonl'), '{"scenario":"a","created_at":"2026-04-28T00:00:00Z"}\n');
    await importEvidence(test.operator, folder, () => undefined);
    await writeFile(join(folder, 'outcomes.jsonl'), '{"scenario":"b","created_at":"2026-04-28T00:00:00Z"}\n');
    await expect(importEvidence(test.operator, folder, () => undefined)).rejects.toThrow(EvidenceDiffersError);
    await writeFile(join(folder, 'outcomes.jsonl'), '');
    await expect(importEvidence(test.operator, folder, () => undefined)).rejects.toThrow('the log has more lines');
  });
});
