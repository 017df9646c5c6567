import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../streams/clock.ts';
import type { StreamState } from '../../streams/stream-reader.ts';
import { type Checkpoint, encodeCheckpoint } from './checkpoint.ts';
import { checkpointLimits, recoverCheckpoint, startCheckpointStore } from './checkpoint-store.ts';
import { evolve, initialState } from './fold.ts';
import { recordingLog } from './testing/recording-log.ts';

const stream: StreamState = { createdAtMs: 1_795_000_000_000, firstSequence: 1, lastSequence: 10 };
const state = evolve(initialState, { source: 'gateway', operations: [], dropped: 3 });
const saved: Checkpoint = { streamCreatedAtMs: stream.createdAtMs, sequence: 7, state };

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-checkpoint-'));
  path = join(folder, 'state.json');
});
afterEach(() => rm(folder, { recursive: true }));

const recover = (log = recordingLog(), of = stream) => recoverCheckpoint(path, of, systemClock, log);
const fresh = (of = stream): Checkpoint => ({ streamCreatedAtMs: of.createdAtMs, sequence: 0, state: initialState });

describe('a checkpoint', () => {
  it('given none, then the fold begins at the beginning, and nothing is said', async () => {
    const log = recordingLog();
    expect(await recover(log)).toEqual(fresh());
    expect(log.lines).toEqual([]);
  });

  it('given one that was saved, then it is taken up', async () => {
    const log = recordingLog();
    let current = fresh();
    const store = startCheckpointStore(path, () => current, log);
    current = saved;
    await store.stop();
    expect(await recover(log)).toEqual(saved);
    expect(await readdir(folder)).toEqual(['state.json']);
    expect(log.lines).toEqual([]);
  });

  it('is saved after so many events, and not before', async () => {
    let current = fresh();
    const store = startCheckpointStore(path, () => current, recordingLog());
    for (let n = 1; n < checkpointLimits.eventsMax; n++) store.noteEvent();
    expect(await readdir(folder)).toEqual([]);
    current = saved;
    store.noteEvent();
    await store.stop();
    expect((await recover()).sequence).toBe(7);
  });

  it('that can not be written is told, and written at the next turn', async () => {
    const log = recordingLog();
    const blocked = join(folder, 'file', 'state.json');
    await writeFile(join(folder, 'file'), 'in the way of a folder');
    let current = fresh();
    const store = startCheckpointStore(blocked, () => current, log);
    current = saved;
    await store.save();
    expect(log.lines).toEqual([expect.stringMatching(/^warn: .*could not be written/)]);
    await rm(join(folder, 'file'));
    await store.stop();
    expect(await readFile(blocked, 'utf8')).toBe(encodeCheckpoint(saved));
  });

  const whole = encodeCheckpoint(saved);
  it.each([
    ['empty', ''],
    ['cut short', whole.slice(0, -20)],
    ['of another program', '{"hello":"world"}'],
    ['of a later version', whole.replace('observer_state.v1', 'observer_state.v2')],
    ['with a count that is no count', whole.replace('"total":0', '"total":-1')],
    ['beyond the end of the stream', encodeCheckpoint({ ...saved, sequence: 11 })],
    ['of a stream that was made anew', encodeCheckpoint({ ...saved, streamCreatedAtMs: stream.createdAtMs - 1 })],
  ])('given a file %s, then it is set aside with a warning and the fold begins anew', async (_, text) => {
    const log = recordingLog();
    await writeFile(path, text);
    expect(await recover(log)).toEqual(fresh());
    expect(log.lines).toEqual([expect.stringMatching(/^warn: .*is of no use/)]);
    const [kept, ...others] = await readdir(folder);
    expect(others).toEqual([]);
    expect(kept).toMatch(/^state\.json\.set-aside-/);
    expect(await readFile(join(folder, kept ?? ''), 'utf8')).toBe(text);
  });

  it('given a stream that let events go before they were folded, then it says how many', async () => {
    const log = recordingLog();
    await writeFile(path, whole);
    const later = { ...stream, firstSequence: 12, lastSequence: 20 };
    expect(await recover(log, later)).toEqual(saved);
    expect(log.lines).toEqual([expect.stringMatching(/^warn: 4 events left/)]);
  });
});
