import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineFileError } from './lines.ts';
import { compareFields, roundTripFile } from './round-trip.ts';

const published = resolve(import.meta.dirname, '../../workers/audit/fixtures/audit_baselines.jsonl');
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-round-trip-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, ...lines: string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, lines.join('\n'));
  return path;
}

describe('the round trip of a log', () => {
  it('loses no field of the published history, whichever runtime wrote it', async () => {
    const trip = await roundTripFile(published, 'audit');
    expect(trip).toEqual({ lines: 8, fields: 8 * 12, unknown: {}, faults: 0, told: [], equal: true });
  });

  it('keeps keys that nobody here knows, zeros and empty strings, and counts them', async () => {
    const file = await fileOf(
      'unknown.jsonl',
      '{"recorded_at":"2026-05-01T07:53:54Z","metrics":{"p9_new":0},"trace_id":"","host":{"cpus":[],"name":null}}',
      '{"metrics":{},"recorded_at":"2026-05-01T07:53:54.461439210Z","trace_id":"t"}',
    );
    expect(await roundTripFile(file, 'audit')).toMatchObject({ equal: true, unknown: { trace_id: 2, host: 1 } });
    const runs = await fileOf('runs.jsonl', '{"schema":"other.v9","recorded_at":"x","nested":{"deep":[{"a":1}]}}');
    expect(await roundTripFile(runs, 'replay')).toMatchObject({ equal: true, unknown: { nested: 1 } });
  });

  it('tells what is lost, changed or added', () => {
    const before = '{"a":{"b":1,"c":[1,2]},"d":"","e":{}}';
    expect(compareFields(before, before).faults).toEqual([]);
    expect(compareFields(before, '{"a":{"b":2,"c":[1]},"e":{},"f":0}').faults).toEqual([
      { path: 'a.b', fault: 'changed' },
      { path: 'a.c.1', fault: 'lost' },
      { path: 'd', fault: 'lost' },
      { path: 'f', fault: 'added' },
    ]);
  });

  it('notices a whole number that has more digits than can be kept', async () => {
    const row = (number: string) => `{"schema":"s","recorded_at":"x","n":${number},"text":"9007199254740993"}`;
    const told = async (number: string) => (await roundTripFile(await fileOf('n.jsonl', row(number)), 'replay')).told;
    expect(await told('9007199254740993')).toEqual([{ line: 1, path: '9007199254740993', fault: 'changed' }]);
    for (const kept of ['9007199254740992', '-9007199254740991', '0.30000000000000004', '1e21'])
      expect(await told(kept)).toEqual([]);
  });

  it('refuses a line that the log does not take, by its number', async () => {
    const [first = ''] = (await readFile(published, 'utf8')).split('\n');
    const torn = await fileOf('torn.jsonl', first, '{"recorded_at":');
    await expect(roundTripFile(torn, 'audit')).rejects.toThrow(LineFileError);
    const tooLarge = await fileOf(
      'large.jsonl',
      '{"recorded_at":"2026-05-01T07:53:54Z","metrics":{"n":9007199254740993}}',
    );
    await expect(roundTripFile(tooLarge, 'audit')).rejects.toThrow('invalid_event');
  });

  it('holds for any row', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (row) => {
        const text = JSON.stringify(row);
        expect(compareFields(text, JSON.stringify(JSON.parse(text))).faults).toEqual([]);
      }),
    );
  });
});
