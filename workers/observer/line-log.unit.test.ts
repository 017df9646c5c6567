import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../streams/clock.ts';
import { type LineLog, lineLogLimits, openLineLog } from './line-log.ts';
import { recordingLog } from './testing/recording-log.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-lines-'));
  path = join(folder, '_kb', 'replay_runs.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = (text: string) => Buffer.from(text, 'utf8');
const fileOf = (payloads: readonly Uint8Array[]) => Buffer.concat(payloads.flatMap((one) => [one, Buffer.from('\n')]));

function open(payloads: readonly Uint8Array[], log = recordingLog(), at = path): Promise<LineLog> {
  const source = {
    lastSequence: async () => payloads.length,
    payload: async (sequence: number) => payloads[sequence - 1],
  };
  return openLineLog({ path: at, source, log, clock: systemClock });
}

/** Folds what the file does not have yet, as a projector does. */
async function foldRest(lines: LineLog, payloads: readonly Uint8Array[], until = payloads.length): Promise<void> {
  for (let sequence = lines.lines() + 1; sequence <= until; sequence++)
    await lines.append(sequence, payloads[sequence - 1] ?? new Uint8Array());
  await lines.flush();
}

const rows = ['{"a":1}', '{"b":"ü <&>"}', '{"c":3}'].map(bytes);
const setAsideFiles = async () => (await readdir(join(folder, '_kb'))).filter((name) => name.includes('set-aside'));

describe('a log of lines', () => {
  it('given no file, when three payloads are folded, then there are three lines, byte for byte', async () => {
    const lines = await open(rows);
    expect(lines.lines()).toBe(0);
    await foldRest(lines, rows);
    expect(lines.lines()).toBe(3);
    await lines.close();
    expect(await readFile(path)).toEqual(fileOf(rows));
  });

  it('given two lines, when opened again, then folding goes on behind the second', async () => {
    const log = recordingLog();
    const first = await open(rows);
    await foldRest(first, rows, 2);
    await first.close();
    const second = await open(rows, log);
    expect(second.lines()).toBe(2);
    await foldRest(second, rows);
    await second.close();
    expect(await readFile(path)).toEqual(fileOf(rows));
    expect(log.lines).toEqual([]);
  });

  it('leaves a sequence alone that it has already', async () => {
    const lines = await open(rows);
    await foldRest(lines, rows, 2);
    lines.append(1, bytes('another'));
    lines.append(2, bytes('another'));
    await foldRest(lines, rows);
    await lines.close();
    expect(await readFile(path)).toEqual(fileOf(rows));
  });

  it.each([
    ['carriage returns', [bytes('{"a":1}\r'), bytes('\r\r'), bytes('x')]],
    ['an empty payload', [bytes(''), bytes('x'), bytes('')]],
    ['bytes that are no text', [Buffer.from([0, 255, 254, 13, 128]), Buffer.from([0]), Buffer.from([239, 187, 191])]],
  ])('given %s, then they are kept as they are, and taken up again', async (_, payloads) => {
    const log = recordingLog();
    for (let until = 0; until <= payloads.length; until++) {
      const lines = await open(payloads, log);
      await foldRest(lines, payloads, until);
      await lines.close();
    }
    expect(await readFile(path)).toEqual(fileOf(payloads));
    expect(log.lines).toEqual([]);
  });

  it('given a payload with a line feed, then it is one line from which the payload can be read', async () => {
    const payloads = [bytes('a'), bytes('two\nlines'), bytes('c')];
    for (let n = 0; n < 2; n++) {
      const lines = await open(payloads);
      await foldRest(lines, payloads);
      await lines.close();
    }
    const [first, second, third, end] = (await readFile(path, 'utf8')).split('\n');
    expect([first, third, end]).toEqual(['a', 'c', '']);
    const row: unknown = JSON.parse(second ?? '');
    const base64 = bytes('two\nlines').toString('base64');
    expect(row).toEqual({ schema: 'payload_of_several_lines.v1', sequence: 2, payload_base64: base64 });
  });

  it('given sequences that were left out, then it refuses to shift the lines, says so, and heals when they come', async () => {
    const lines = await open(rows);
    await lines.append(1, bytes('{"a":1}'));
    expect(() => lines.append(3, bytes('{"c":3}'))).toThrow(/from sequence 1 to 3/);
    await lines.flush();
    expect(lines.fault()).toMatch(/line 2 of .* has no payload/);
    expect(await readFile(path)).toEqual(fileOf(rows.slice(0, 1)));
    await lines.append(2, rows[1] ?? bytes(''));
    await lines.append(3, rows[2] ?? bytes(''));
    await lines.flush();
    expect(lines.fault()).toBeUndefined();
    await lines.close();
    expect(await readFile(path)).toEqual(fileOf(rows));
  });

  it('makes whoever appends wait when so much is held, and writes everything', async () => {
    const large = Array.from({ length: 3 }, (_, n) => Buffer.alloc(lineLogLimits.bufferBytesMax / 2, 97 + n));
    const lines = await open(large);
    expect(lines.append(1, large[0] ?? bytes(''))).toBeUndefined();
    const room = lines.append(2, large[1] ?? bytes(''));
    expect(room).toBeInstanceOf(Promise);
    await room;
    expect(lines.lines()).toBe(2);
    await foldRest(lines, large);
    await lines.close();
    expect((await readFile(path)).equals(fileOf(large))).toBe(true);
  });

  it('writes what was taken before it is closed, and takes nothing after', async () => {
    const lines = await open(rows);
    lines.append(1, rows[0] ?? bytes(''));
    await lines.close();
    expect(await readFile(path)).toEqual(fileOf(rows.slice(0, 1)));
    expect(() => lines.append(2, bytes('x'))).toThrow(/closed/);
  });
});

describe('a log of lines that was left in disorder', () => {
  it('cut at any byte, is taken up to the same file, and only the unfinished line is written anew', async () => {
    const payloads = fc.array(
      fc.uint8Array({ maxLength: 12 }).map((line) => line.map((byte) => (byte === 10 ? 11 : byte))),
      { minLength: 1, maxLength: 6 },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(payloads, fc.nat(), async (given, at) => {
        const whole = fileOf(given);
        const cut = whole.subarray(0, at % (whole.length + 1));
        const log = recordingLog();
        const file = join(folder, `${run++}.jsonl`);
        await writeFile(file, cut);
        const lines = await open(given, log, file);
        expect(lines.lines()).toBe(cut.filter((byte) => byte === 10).length);
        expect((await stat(file)).size).toBe(cut.lastIndexOf(10) + 1);
        await foldRest(lines, given);
        await lines.close();
        expect(await readFile(file)).toEqual(whole);
        const said = cut.length > 0 && cut.at(-1) !== 10 ? 1 : 0;
        expect(log.lines).toHaveLength(said);
      }),
      { numRuns: 60 },
    );
    expect((await readdir(folder)).filter((name) => name.includes('set-aside'))).toEqual([]);
  });

  it('with the torn tail of a power cut, keeps its lines and drops the tail', async () => {
    const first = await open(rows);
    await foldRest(first, rows, 2);
    await first.close();
    await writeFile(path, Buffer.concat([fileOf(rows.slice(0, 2)), Buffer.alloc(40)]));
    const lines = await open(rows);
    expect(lines.lines()).toBe(2);
    await foldRest(lines, rows);
    await lines.close();
    expect(await readFile(path)).toEqual(fileOf(rows));
    expect(await setAsideFiles()).toEqual([]);
  });

  it.each([
    ['is longer than the stream', [...rows, bytes('{"d":4}')], ''],
    ['has another last line', [rows[0] ?? bytes(''), bytes('{"b":"other"}')], ''],
    ['has a last line with one byte more', [rows[0] ?? bytes(''), bytes('{"b":"ü <&>"}\r')], ''],
    ['is of somebody else and has no line', [], 'notes to myself'],
    ['begins as the first line and goes on beyond it', [], '{"a":1}}'],
  ])('that %s, is set aside with a warning and made anew', async (_, lines, unfinished) => {
    const log = recordingLog();
    const found = Buffer.concat([fileOf(lines), bytes(unfinished)]);
    await (await open([])).close();
    await writeFile(path, found);
    const opened = await open(rows, log);
    expect(opened.lines()).toBe(0);
    await foldRest(opened, rows);
    await opened.close();
    expect(await readFile(path)).toEqual(fileOf(rows));
    const [aside, ...others] = await setAsideFiles();
    expect(others).toEqual([]);
    expect(await readFile(join(folder, '_kb', aside ?? ''))).toEqual(found);
    expect(log.lines).toEqual([expect.stringMatching(/^warn: .* is made anew/)]);
  });
});
