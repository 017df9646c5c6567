import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../gateway/client/errors.ts';
import { auditReportSchema } from '../../schemas/distillation/audit.ts';
import { taskReplayRunSchema } from '../../schemas/distillation/replay-run.ts';
import { searchReplayReportSchema } from '../../schemas/distillation/search-replay.ts';
import { readStream } from '../../streams/read-stream.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { auditFull } from '../../workers/audit/audit-full.ts';
import { createAuditProcess } from '../../workers/audit/audit-process.ts';
import { reconDocument } from '../../workers/audit/phases/recon.ts';
import { type Damage, damages, livedRunId } from '../../workers/audit/testing/damages.ts';
import { acceptanceFiles } from '../../workers/distillation/acceptance/fixture-rows.ts';
import { projectDirectory } from '../bench/project.ts';
import { exitCodes } from '../exit-codes.ts';
import { startTestChat, type TestChat } from '../testing/ollama-chat.ts';
import { runCommand } from '../testing/run-command.ts';
import { startTestStack, type TestStack } from '../testing/stack.ts';
import { environmentOf } from '../testing/worker-process.ts';
import { auditContext } from './audit-context.ts';

const queries = [
  'Need a forklift operator in Aurora',
  'somebody who drives a forklift',
  'night shift welder',
  'a nurse for the weekend',
  'an accountant who knows payroll',
] as const;
const roles = ['Forklift operator', 'Welder', 'Registered nurse', 'Accountant', 'Line cook', 'Painter'] as const;
const goodAnswer =
  'Verify the operator badge and check the lift before the first shift, then assert that the limits of the task hold.';

let stack: TestStack;
let chat: TestChat;
let folder: string;

beforeAll(async () => {
  chat = await startTestChat(goodAnswer);
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-lived-'));
  stack = await startTestStack();
  for (const [name, value] of Object.entries(environmentOf(stack, 'operator'))) vi.stubEnv(name, value);
  vi.stubEnv('LAKEHOUSE_GATEWAY_URL', stack.url);
  vi.stubEnv('OLLAMA_HOST', chat.host);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await stack[Symbol.asyncDispose]();
  chat.stop();
  await rm(folder, { recursive: true, force: true });
});

const root = () => stack.configuration.dataDirectory;
const ask = (query_text: string) =>
  stack.client.search({ query_text, corpora: ['workers'], k: 3, use_playbook: true, query_role: '' });
const answers = async () => {
  const found = new Map<string, string>();
  for (const query of queries) {
    const { results } = await ask(query);
    found.set(query, JSON.stringify(results.map(({ id, distance }) => [id, distance.toFixed(6)])));
  }
  return found;
};
async function rowsOf(stream: 'REPLAY_RUNS' | 'AUDIT_BASELINES') {
  const rows: Record<string, unknown>[] = [];
  for await (const { payload } of readStream(stack.operator, stream))
    rows.push(JSON.parse(Buffer.from(payload).toString('utf8')));
  return rows;
}
async function loggedSearches(): Promise<number> {
  let count = 0;
  for await (const { payload } of readStream(stack.operator, 'SEARCHES'))
    count += JSON.parse(Buffer.from(payload).toString('utf8')).data.searches.length;
  return count;
}
/** What distillation left, by its bytes. */
async function digestOfFiles(): Promise<string> {
  const hash = createHash('sha256');
  for (const part of ['evidence', 'scored-runs', 'exports', 'reports', '_kb'])
    for (const entry of (await readdir(join(root(), part), { recursive: true, withFileTypes: true })).sort(
      (one, other) => (join(one.parentPath, one.name) < join(other.parentPath, other.name) ? -1 : 1),
    ))
      if (entry.isFile()) hash.update(entry.name).update(await readFile(join(entry.parentPath, entry.name)));
  return hash.digest('hex');
}

describe('a stack that has lived', () => {
  it('tells what a playbook had changed: searches asked again are what the live system answered', async () => {
    await stack.client.ingest(
      'workers',
      roles.map((text, at) => ({ id: `w-${at}`, text })),
      { waitSearchable: true },
    );
    const { playbook_id } = await stack.client.record({
      query_text: queries[0],
      answer_id: 'w-5',
      answer_corpus: 'workers',
      score: 1,
    });
    const before = await answers();
    await stack.client.retract({ playbook_id });
    const after = await answers();
    const ingested = (await readStreamState(stack.operator, 'INGEST')).lastSequence;
    await stack.client.ingest(
      'workers',
      [
        { id: 'w-6', text: 'Accountant for payroll' },
        { id: 'w-0', deleted: true },
      ],
      {
        waitSearchable: true,
      },
    );
    const later = await answers();
    const searches = 3 * queries.length;
    await eventually('the searches are logged', async () => (await loggedSearches()) === searches);

    // Each query was asked three times, and is asked again as often.
    const states = [`INGEST=${ingested},PLAYBOOKS=1`, `INGEST=${ingested},PLAYBOOKS=2`, 'now'] as const;
    const replayed = async (from: string, to: string) => {
      const { exitCode, document } = await runCommand(
        ...(['replay', 'searches', '--as-of', from, '--against', to, '--output', folder] as const),
      );
      expect(exitCode).toBe(exitCodes.done);
      const { written, ...report } = document;
      const { run, changes } = searchReplayReportSchema.parse(report);
      expect(run).toMatchObject({ asked: searches, changed: changes.length, unanswered: 0 });
      return { run, changes, written: written as string[] };
    };
    const differing = (one: Map<string, string>, other: Map<string, string>) =>
      queries.filter((query) => one.get(query) !== other.get(query));
    const textsOf = (changes: readonly { query_text: string | null }[]) =>
      queries.filter((query) => changes.filter(({ query_text }) => query_text === query).length === 3);

    const taken = await replayed(states[0], states[1]);
    const changed = differing(before, after);
    expect(changed).toContain(queries[0]);
    expect(changed.length).toBeLessThan(queries.length);
    expect(textsOf(taken.changes)).toEqual(changed);
    expect(taken.run.changed).toBe(3 * changed.length);
    const lifted = taken.changes[0]?.results.find(({ id }) => id === 'w-5');
    expect(lifted?.rank[0]).toBe(1);
    const paths = ['json', 'md', 'svg'].map((kind) => join(folder, `${taken.run.run_id}.${kind}`));
    expect(taken.written).toEqual(paths);
    expect(await readFile(paths[1] ?? '', 'utf8')).toContain(`# ${3 * changed.length} of ${searches} logged searches`);
    expect((await rowsOf('REPLAY_RUNS')).at(-1)).toEqual(taken.run);

    // Documents came and went: as of their sequence they have not.
    const moved = await replayed(states[1], states[2]);
    expect(differing(after, later).length).toBeGreaterThan(0);
    expect(textsOf(moved.changes)).toEqual(differing(after, later));
  });

  it('ranks logged searches by another policy as the live system does', async () => {
    const policy = ['replay', 'searches', '--output', folder, '--policy'] as const;
    // Nothing lifts now.
    const off = await runCommand(...policy, 'playbooks=off');
    expect(off.document.run).toMatchObject({ changed: 0, against: { as_of: 'now', policy: 'playbooks=off' } });

    const { document } = await runCommand(...policy, 'retrieval=lexical', '--policy-before', 'playbooks=off');
    const { changes } = searchReplayReportSchema.omit({ run: true }).loose().parse(document);
    const distances = new Map<string, readonly (readonly [string, number])[]>();
    for (const query_text of queries) {
      const live = await stack.client.search({ query_text, corpora: ['workers'], k: 3, retrieval: 'lexical' });
      distances.set(
        query_text,
        live.results.map(({ id, distance }) => [id, distance]),
      );
    }
    expect(changes).toHaveLength(document.run.asked);
    for (const { query_text, results } of changes) {
      const told = results.flatMap(({ id, rank, distance }) =>
        rank[1] === null ? [] : [[rank[1], id, distance[1]] as const],
      );
      const byRank = told.sort(([one], [other]) => one - other).map(([, id, distance]) => [id, distance]);
      expect(byRank).toEqual(distances.get(query_text ?? ''));
    }

    await expect(runCommand('replay', 'searches')).rejects.toThrow('both sides are the same');
    await expect(runCommand(...policy, 'magic')).rejects.toThrow('"magic" is no policy');
  });

  it('keeps a row of a replay that failed', async () => {
    await stack.stop('embed');
    try {
      await expect(runCommand('replay', 'searches', '--policy', 'boost=0.1', '--output', folder)).rejects.toThrow();
      const row = (await rowsOf('REPLAY_RUNS')).at(-1);
      expect(row).toMatchObject({
        schema: 'search_replay.v1',
        outcome: 'failed',
        before: null,
        error: expect.any(String),
      });
    } finally {
      await stack.start('embed');
    }
  });

  it('is distilled stage by stage, its own life included', async () => {
    const files = join(folder, 'kb');
    await mkdir(files);
    for (const [stem, lines] of acceptanceFiles())
      await writeFile(join(files, `${stem}.jsonl`), `${lines.join('\n')}\n`);
    await runCommand('evidence', 'import', files);
    const gathered = await runCommand('evidence', 'gather');
    expect(gathered.document).toMatchObject({ playbook_records: 1, playbook_retractions: 1 });

    const built = await runCommand('distill', 'build-evidence', '--run-id', 'by-hand');
    expect(built.document).toMatchObject({
      run_id: 'by-hand',
      receipts: [{ stage: 'collect', stats: { skipped: 1 } }],
    });
    const scored = await runCommand('distill', 'score');
    expect(scored.document).toMatchObject({ run_id: 'by-hand', missing: expect.arrayContaining(['export-rag']) });
    const exported = await runCommand('distill', 'export', '--include-partial');
    expect(exported.document).toMatchObject({ run_id: 'by-hand', missing: [], ended: { drift: { severity: 'ok' } } });
    await expect(runCommand('distill', 'score', '--run-id', 'by-hand')).rejects.toThrow('has its score already');
    const again = await runCommand('distill', 'run-all');
    expect(again.document.drift).toMatchObject({ prior_run_id: 'by-hand' });
    const indexed = await runCommand('distill', 'index');
    expect(indexed.document.searchable).toBe(indexed.document.documents);
  });

  it('carries out tasks with what was learned, and keeps a row of each, failures too', async () => {
    const task = 'Review the change to the index and say what to verify';
    vi.stubEnv('LAKEHOUSE_REPLAY_LOCAL_MODEL', 'small');
    const good = await runCommand('replay', task);
    expect(good.exitCode).toBe(exitCodes.done);
    expect(taskReplayRunSchema.parse(good.document)).toMatchObject({
      retriever: 'matrix',
      model_used: 'small',
      model_response: goodAnswer,
      escalation_path: ['small'],
      validation_result: { passed: true, reasons: [] },
    });
    expect(good.document.retrieved_artifacts.length).toBeGreaterThan(0);
    expect(chat.asked.at(-1)?.messages.at(-1)?.content).toContain(task);

    vi.stubEnv('LAKEHOUSE_REPLAY_LOCAL_MODEL', 'broken');
    vi.stubEnv('LAKEHOUSE_REPLAY_ESCALATION_MODEL', 'large');
    const failed = await runCommand('replay', task, '--retriever', 'jaccard', '--local-only', '--allow-escalation');
    expect(failed.exitCode).toBe(exitCodes.failed);
    expect(failed.document).toMatchObject({ escalation_path: ['broken'], validation_result: { passed: false } });
    expect(failed.document.validation_result.reasons[0]).toContain('local call failed');
    const escalated = await runCommand('replay', task, '--no-retrieval', '--allow-escalation');
    expect(escalated.document).toMatchObject({ model_used: 'large', escalation_path: ['broken', 'large'] });
    const rows = (await rowsOf('REPLAY_RUNS')).filter(({ schema }) => schema === 'replay_run.v1');
    expect(rows).toEqual([good.document, failed.document, escalated.document]);
  });

  it('passes its audit, whose baseline the next one is compared with', async () => {
    const projected = () => readFile(join(root(), '_kb', 'replay_runs.jsonl'), 'utf8');
    const rows = await rowsOf('REPLAY_RUNS');
    await eventually('the runs are in their file', async () => (await projected()).split('\n').length > rows.length);

    const audited = await runCommand('audit-full', '--schema-tests', 'true', '--append-baseline');
    const report = auditReportSchema.parse(audited.document);
    expect(report.checks.filter(({ required, passed }) => required && !passed)).toEqual([]);
    expect(report).toMatchObject({ required: { passed: 16, total: 16 }, skipped_phases: [], passed: true });
    expect(audited.exitCode).toBe(exitCodes.done);
    const baselines = join(root(), '_kb', 'audit_baselines.jsonl');
    await eventually('the baseline is in its file', async () => (await readFile(baselines, 'utf8')).endsWith('\n'));
    const [baseline] = await rowsOf('AUDIT_BASELINES');
    expect(baseline).toMatchObject({ recorded_at: report.generated_at, metrics: report.metrics });

    // Over HTTP: nothing is written, one at a time, and the drift is against that baseline.
    const [before, sequence] = [await digestOfFiles(), (await rowsOf('AUDIT_BASELINES')).length];
    const [one, other] = await Promise.allSettled([stack.client.auditRun(), stack.client.auditRun()]);
    const [told, refused] = one?.status === 'fulfilled' ? [one, other] : [other, one];
    if (told?.status !== 'fulfilled' || refused?.status !== 'rejected') throw new Error('two audits ran at once');
    expect(refused.reason).toBeInstanceOf(GatewayError);
    expect(refused.reason.problem).toMatchObject({ status: 409, code: 'already_running' });
    expect(told.value).toMatchObject({ passed: true, required: { passed: 15, total: 15 }, metrics: report.metrics });
    expect(told.value.skipped_phases.map(({ phase }) => phase)).toEqual([1]);
    expect(told.value.drift.map(({ flag }) => flag)).not.toContain('first_run');
    expect([await digestOfFiles(), (await rowsOf('AUDIT_BASELINES')).length]).toEqual([before, sequence]);
    await expect(createAuditProcess(root()).run(AbortSignal.timeout(1))).rejects.toThrow('took longer');
  });

  it('tells over HTTP what audits and replays came to', async () => {
    const { client } = stack;
    const page = await client.auditBaselines({ limit: 5 });
    expect(page).toMatchObject({ baselines: [{ sequence: 1 }], next_before: null });
    expect(page.baselines.map(({ baseline }) => baseline)).toEqual(await rowsOf('AUDIT_BASELINES'));
    const drift = await client.auditDrift();
    expect(drift).toMatchObject({
      current: { sequence: 1 },
      before: { baseline: null, warn: 0 },
      first: { baseline: null },
    });
    expect(drift.before.first_run).toBe(drift.before.rows.length);

    const rows = await rowsOf('REPLAY_RUNS');
    const newest = await client.replayRuns({ limit: 2 });
    expect(newest.runs.map(({ run }) => run)).toEqual(rows.slice(-2).reverse());
    const rest = await client.replayRuns({ before: newest.next_before ?? 0 });
    expect(rest.runs).toHaveLength(rows.length - 2);
    const searches = await client.replayRuns({ schema: 'search_replay.v1' });
    expect(searches.runs.map(({ sequence }) => sequence)).toEqual([5, 4, 3, 2, 1]);
    await expect(client.replayRuns({ limit: 0 })).rejects.toMatchObject({ problem: { code: 'bad_request' } });
  });

  it.each([
    ['baselines', { entries: 1 }],
    ['scorer', { drifted: 0 }],
    ['runs', { runs: [{ run_id: 'by-hand' }, { prior_run_id: 'by-hand' }] }],
    ['playbooks', { total: 0 }],
    // Of those in which a playbook lifted, and of those by words alone, the distances say nothing of the embedder.
    ['population', { before: expect.any(Number), verdict: expect.any(String) }],
    ['embedding', { statistic: expect.any(Number), drifted: expect.any(Boolean) }],
  ])('tells the drift of %s as a table, JSON and a picture', async (kind, expected) => {
    const { document } = await runCommand('drift', kind);
    const { written, ...told } = document;
    expect(told).toMatchObject(expected);
    const directory = join(root(), 'reports', 'drift');
    expect(written).toEqual(['json', 'md', 'svg'].map((extension) => join(directory, `${kind}.${extension}`)));
    const [asJson, markdown, svg] = await Promise.all(written.map((path: string) => readFile(path, 'utf8')));
    expect(JSON.parse(asJson ?? '')).toEqual(told);
    expect(markdown).toMatch(/^# .+\n\n.+\./);
    expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
  });
});

/** Some twenty audits, each with an acceptance gate of its own. */
const damagesDeadlineMs = 180_000;

describe('the audit of a stack that has lived', () => {
  it('passes every phase, the tests of the schemas in a process of their own', async () => {
    expect((await runCommand('distill', 'run-all', '--run-id', livedRunId)).exitCode).toBe(exitCodes.done);
    const before = await digestOfFiles();
    const { exitCode, document } = await runCommand('audit-full');
    const { checks, ...report } = auditReportSchema.parse(document);
    expect(report).toMatchObject({ required: { passed: 16, total: 16 }, skipped_phases: [], passed: true });
    expect(checks).toHaveLength(22);
    expect(checks.find(({ name }) => name === 'schema_tests')?.actual).toMatch(/^\d{2,} passed/);
    expect(exitCode).toBe(exitCodes.done);
    expect(await digestOfFiles()).toBe(before);
  });

  it(
    'fails in exactly one check for each damage',
    async () => {
      const failed = async ({ files, context = (given) => given }: Damage, at: number) => {
        const copy = join(folder, `damaged-${at}`);
        for (const part of ['evidence', 'scored-runs', 'exports', '_kb', join('reports', 'distillation', livedRunId)])
          await cp(join(root(), part), join(copy, part), { recursive: true });
        const project = join(copy, 'project');
        await mkdir(join(project, dirname(reconDocument)), { recursive: true });
        await cp(join(projectDirectory(), reconDocument), join(project, reconDocument));
        await files?.(copy);
        const sound = { ...auditContext(copy, 'true'), projectRoot: project };
        const generatedAt = new Date().toISOString();
        const moment = { generatedAt, gitCommit: null, prior: undefined, progress: () => undefined };
        const { checks } = await auditFull(context(sound), moment);
        await rm(copy, { recursive: true });
        return checks.filter(({ required, passed }) => required && !passed).map(({ name }) => name);
      };
      expect(await failed({ what: 'nothing', check: 'none' }, 0)).toEqual([]);
      const found = [];
      for (const [at, damage] of damages.entries()) found.push([damage.what, ...(await failed(damage, at))]);
      expect(found).toEqual(damages.map(({ what, check }) => [what, check]));
    },
    damagesDeadlineMs,
  );

  it('ends with a failure where a required check fails, and says which', async () => {
    const copy = join(folder, 'short');
    const run = join('reports', 'distillation', livedRunId);
    for (const part of ['evidence', 'scored-runs', 'exports', '_kb', run])
      await cp(join(root(), part), join(copy, part), { recursive: true });
    await damages.find(({ check }) => check === 'run_hash_sha256')?.files?.(copy);
    const { exitCode, document } = await runCommand('audit-full', '--schema-tests', '', '--data-dir', copy);
    expect(exitCode).toBe(exitCodes.failed);
    const report = auditReportSchema.parse(document);
    expect(report).toMatchObject({
      passed: false,
      required: { passed: 14, total: 15 },
      skipped_phases: [{ phase: 1 }],
    });
    expect(report.checks.filter(({ required, passed }) => required && !passed)).toMatchObject([
      { name: 'run_hash_sha256' },
    ]);
  });
});
