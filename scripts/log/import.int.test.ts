import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendLine } from '../../streams/append.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import { loadBaselines, loadLastBaseline } from '../../workers/audit/baseline-log.ts';
import { baselineDrift, formatChange, summarizeDrift } from '../../workers/drift/baseline-drift.ts';
import { startLineProjection } from '../../workers/observer/line-projection.ts';
import { checkLines, ImportRefused, importLines, type LineLogName } from './import.ts';
import { LineFileError } from './lines.ts';

/** Lines as other runtimes write them: another order of keys, spaces, escapes, digits and line ends than ours. */
const rows = [
  '{"recorded_at":"2026-04-27T04:47:30.220Z","git_commit":"ca7375ea","metrics":{"p2_evidence_rows":82,"new_metric":0}}',
  '{ "metrics" : {"p3_accepted": 386} , "recorded_at":"2026-05-01T07:53:54Z","line_offset":0,"trace_id":""}',
  '{"recorded_at":"2026-05-01T07:53:54.123456000Z","metrics":{},"note":"a \\u003cb\\u003e \\u0026 <c> & \\/ é \\u00e9"}',
  '{"recorded_at":"2026-05-02T00:00:00+02:00","metrics":{"p4_rag_rows":448},"zwölf":"\u2028"}\r',
];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-import-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function imported(test: TestLog, file: string, after = 0, log: LineLogName = 'audit') {
  const total = await checkLines(file, log);
  return importLines({ connection: test.operator, file, log, after, total, onProgress: () => {} });
}

const bytesOf = async (test: TestLog) =>
  (await test.readAll('AUDIT_BASELINES')).map(({ payload }) => Buffer.from(payload).toString('utf8'));

describe('importing a log of another runtime', () => {
  it('reference 10.47, 10.48, 10.49: keeps zeros, empty strings, escapes and trailing digits, byte for byte', async () => {
    await using test = await startTestLog();
    const file = await fileOf('baselines.jsonl', `${rows.join('\n')}\n`);
    expect(await imported(test, file)).toMatchObject({ lines: 4, appended: 4, present: 0, last_sequence: 4 });
    expect(await bytesOf(test)).toEqual(rows);

    // And out again: the file that is made of the log is the file that was imported.
    const path = join(folder, 'projected.jsonl');
    const projection = await startLineProjection(
      { connection: await test.connectAs('observer'), log: test.log },
      'AUDIT_BASELINES',
      path,
    );
    await eventually('the file is written', () => projection.lines() === 4);
    await projection.stop();
    expect((await readFile(path)).equals(await readFile(file))).toBe(true);
  });

  it('lesson 33: takes the published history of two runtimes, goes on behind it, and compares across them', async () => {
    await using test = await startTestLog();
    const file = resolve(import.meta.dirname, '../../workers/audit/fixtures/audit_baselines.jsonl');
    expect(await imported(test, file)).toMatchObject({ lines: 8, appended: 8, last_sequence: 8 });
    const observer = { connection: await test.connectAs('observer'), log: test.log };
    const path = join(folder, 'history.jsonl');
    const projection = await startLineProjection(observer, 'AUDIT_BASELINES', path);
    await eventually('the file is written', () => projection.lines() === 8);
    expect(await readFile(path, 'utf8')).toBe(await readFile(file, 'utf8'));

    // One of our own behind theirs: the log has three runtimes then, and each is compared with the one before.
    const own = { recorded_at: '2026-11-21T08:00:00.000Z', metrics: { p2_evidence_rows: 1055, p9_new: 1 } };
    await appendLine(test.operator, 'lakehouse.audit-baseline', Buffer.from(JSON.stringify(own)), 'own');
    await eventually('the line is written', () => projection.lines() === 9);
    await projection.stop();
    const entries = await loadBaselines(path);
    expect(await loadLastBaseline(path)).toEqual(own);
    const [first, lastOfFirst, second] = [entries[0], entries[6], entries[7]].map((entry) => entry?.metrics);
    const lineage = baselineDrift(first, lastOfFirst ?? {});
    expect(summarizeDrift(lineage)).toBe('5/10 metrics flagged warn, 0 first-run');
    expect(lineage.filter(({ flag }) => flag === 'warn').map(({ metric }) => metric)).toEqual([
      'p2_evidence_rows',
      'p3_accepted',
      'p3_human',
      'p3_partial',
      'p3_rejected',
    ]);
    expect(formatChange(lineage[0]?.change ?? null)).toBe('+583.3%');
    // Two definitions of one name: the count of what would be written anew against that of what lies on disk.
    const crossed = baselineDrift(lastOfFirst, second ?? {});
    expect(crossed.filter(({ flag }) => flag !== 'ok')).toMatchObject([{ metric: 'p2_evidence_rows', current: 1055 }]);
    expect(baselineDrift(second, own.metrics).map(({ flag }) => flag)).toEqual(['ok', 'first_run']);
  });

  it('goes on where an interrupted run ended, and changes nothing when it is run again', async () => {
    await using test = await startTestLog();
    const file = await fileOf('resumed.jsonl', rows.join('\n'));
    for (const [at, row] of rows.slice(0, 2).entries())
      await appendLine(test.operator, 'lakehouse.audit-baseline', Buffer.from(row), `own-${at}`);
    const first = await imported(test, file);
    expect(first).toMatchObject({ appended: 2, present: 2, last_sequence: 4 });
    expect(await imported(test, file)).toEqual({ ...first, appended: 0, present: 4 });
    expect(await bytesOf(test)).toEqual(rows);
  });

  it('follows a stated last sequence, and refuses a log that ends elsewhere or holds something else', async () => {
    await using test = await startTestLog();
    const own = '{"recorded_at":"2026-05-03T00:00:00Z","metrics":{"own":1}}';
    await appendLine(test.operator, 'lakehouse.audit-baseline', Buffer.from(own), 'own');
    const file = await fileOf('after.jsonl', rows.join('\n'));
    await expect(imported(test, file)).rejects.toThrow('has another line as sequence 1');
    await expect(imported(test, file, 2)).rejects.toThrow(ImportRefused);
    expect(await bytesOf(test)).toEqual([own]);
    expect(await imported(test, file, 1)).toMatchObject({ first_sequence: 2, last_sequence: 5 });
    expect(await bytesOf(test)).toEqual([own, ...rows]);
    const shorter = await fileOf('shorter.jsonl', rows.slice(0, 2).join('\n'));
    await expect(imported(test, shorter, 1)).rejects.toThrow('more lines than the file');
  });

  it.each([
    ['an empty line', `${rows[0]}\n\n${rows[1]}\n`, 2, 'empty'],
    ['a line that is no JSON', `${rows[0]}\n{"recorded_at":`, 2, 'bad_json'],
    ['a line without what its log needs', '{"metrics":{}}\n', 1, 'recorded_at'],
  ])('refuses %s by its number, before anything is appended', async (name, content, line, words) => {
    const file = await fileOf(`${name}.jsonl`, content);
    const refused = await checkLines(file, 'audit').catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(LineFileError);
    expect(refused).toMatchObject({ line, message: expect.stringContaining(words) });
  });

  it('takes replay rows of any schema, and no line of the other log', async () => {
    const row = '{"schema":"replay_run.v1","recorded_at":"2026-05-01T07:53:54.100000000Z","duration_ms":0}';
    expect(await checkLines(await fileOf('replay.jsonl', row), 'replay')).toBe(1);
    await expect(checkLines(await fileOf('mixed.jsonl', rows[0] ?? ''), 'replay')).rejects.toThrow(LineFileError);
  });
});
