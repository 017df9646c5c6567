import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeVector } from '../../schemas/vector.ts';
import { append, appendBytes } from '../../streams/append.ts';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import { acceptanceFiles } from '../../workers/distillation/acceptance/fixture-rows.ts';
import { makeEvidence } from '../../workers/distillation/evidence/make-evidence.ts';
import { readEvidence } from '../../workers/distillation/evidence/read-evidence.ts';
import { evidenceSources } from '../../workers/distillation/evidence/sources.ts';
import { gatherOwnLife } from '../../workers/distillation/own-life/gather.ts';
import { runAll } from '../../workers/distillation/run/run.ts';
import { scoreEvidence } from '../../workers/distillation/scoring/score-evidence.ts';
import { EvidenceDiffersError, importEvidence } from './import-evidence.ts';

let test: TestLog;
let folder: string;
beforeAll(async () => {
  test = await startTestLog();
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-evidence-'));
  // One file ends without a line feed, and one has an empty line: neither changes what its rows are.
  for (const [stem, lines] of acceptanceFiles())
    await writeFile(join(folder, `${stem}.jsonl`), `${lines.join('\n')}${stem === 'audits' ? '' : '\n\n'}`);
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

describe('what the system saw of itself', () => {
  const own = new Set(['gateway', 'index']);
  const playbook = (id: string, query_text: string) => ({
    playbook_id: id,
    corpus: 'playbook_memory',
    space: 'mine@1',
    vector: encodeVector(Float32Array.of(1)),
    entry: { query_text, answer_id: 'w-43', answer_corpus: 'workers', score: 1, role: 'Forklift Operator' },
  });
  const searched = (query_text: string, searched_at: string, ids: readonly string[]) => ({
    searched_at,
    query_text,
    request: {},
    position: {},
    results: ids.map((id, at) => ({ id, corpus: 'workers', distance: 0.1 * (at + 1) })),
    playbook_boosted: 0,
    playbook_injected: 0,
  });
  const rowsOf = async (stem: string) =>
    (await test.readAll('EVIDENCE'))
      .filter(({ subject }) => subject === `evidence.${stem}`)
      .map(({ payload }) => JSON.parse(Buffer.from(payload).toString('utf8')));

  it('becomes evidence: records, retractions, the search before a record, and events that others reported', async () => {
    const say = { source: 'test' };
    const now = Date.now();
    const at = (agoMs: number) => new Date(now - agoMs).toISOString();
    const searches = [
      searched('Need a forklift operator', at(7_200_000), ['w-43']),
      searched('Need a forklift operator', at(60_000), ['w-7', 'w-43']),
      searched('Need a loader', at(50_000), ['w-43']),
    ];
    await append(
      await test.connectAs('index'),
      'lakehouse.search',
      { corpus: 'workers' },
      { corpus: 'workers', searches },
      { ...say, messageId: 's' },
    );
    const tokens = { corpus: 'playbook_memory', key: 'k' };
    const playbooks = await test.connectAs('playbook');
    await append(playbooks, 'lakehouse.playbook', tokens, playbook('pb-1126c52bd106df6b', 'Need a forklift operator'), {
      ...say,
      messageId: 'p1',
    });
    await append(playbooks, 'lakehouse.playbook', tokens, playbook('pb-1126c52bd106df6c', 'Nobody asked this'), {
      ...say,
      messageId: 'p2',
    });
    const retraction = { playbook_id: 'pb-1126c52bd106df6c', corpus: 'playbook_memory', reason: 'a slip' };
    await append(playbooks, 'lakehouse.playbook-retracted', tokens, retraction, { ...say, messageId: 'p3' });
    const operation = {
      timestamp: at(0),
      endpoint: 'fill',
      success: true,
      duration_ms: 1,
      input_summary: '',
      output_summary: 'filled',
    };
    for (const source of ['scenario', 'gateway'])
      await append(
        await test.connectAs('observer'),
        'lakehouse.observation',
        { source },
        { source, operations: [{ ...operation, source }], dropped: 0 },
        { ...say, messageId: source },
      );

    const first = await gatherOwnLife(test.operator, own);
    expect(first).toEqual({ playbook_records: 2, playbook_retractions: 1, search_choices: 1, observer_events: 1 });
    expect(await rowsOf('search_choices')).toMatchObject([{ rank: 2, distance: 0.2, searched_at: at(60_000) }]);
    expect(await rowsOf('observer_events')).toMatchObject([{ source: 'scenario', endpoint: 'fill' }]);
    expect(await gatherOwnLife(test.operator, own)).toEqual({
      playbook_records: 0,
      playbook_retractions: 0,
      search_choices: 0,
      observer_events: 0,
    });

    // A gathering that ended behind the record and before the choice: the next one looks for the choice.
    await append(playbooks, 'lakehouse.playbook', tokens, playbook('pb-1126c52bd106df6e', 'Need a loader'), {
      ...say,
      messageId: 'p4',
    });
    const row = Buffer.from(JSON.stringify({ sequence: 4, run_id: 'playbooks:4', recorded_at: at(0), score: 1 }));
    await appendBytes(test.operator, 'evidence.playbook_records', row, { messageId: 'own:playbook_records:4:0' });
    expect(await gatherOwnLife(test.operator, own)).toMatchObject({ playbook_records: 0, search_choices: 1 });
    expect((await rowsOf('search_choices')).at(-1)).toMatchObject({ sequence: 4, rank: 1, searched_at: at(50_000) });

    const made = [];
    for await (const line of readEvidence(test.operator).lines)
      if (evidenceSources[line.stem].tier === 'own') made.push(makeEvidence(line, at(0)));
    const scores = made.map((one) =>
      'record' in one ? scoreEvidence(one.record, at(0)).category : one.skip.errors.join(),
    );
    expect(scores).toHaveLength(7);
    expect(scores.slice(0, 5)).toEqual(['accepted', 'accepted', 'rejected', 'accepted', 'needs_human_review']);
  });
});
