import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGraph } from '../graph.ts';
import { defaultParameters } from '../parameters.ts';
import { clustered, seededRandom } from '../testing/model.ts';
import { inspectGraphFile } from './hnsw-file.ts';

const dimension = 8;
const m = 4;
const count = 300;
const elementBytes = 2 * m * 4 + 4 + dimension * 4 + 8;
let folder = '';
let bytes = Buffer.alloc(0);
const path = () => join(folder, 'graph');
const inspect = () => inspectGraphFile(path(), dimension, 2 * count);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakehouse-graph-'));
  const graph = createGraph('cosine', dimension, { ...defaultParameters, m, efConstruction: 40 });
  for (const [place, vector] of clustered(count, dimension, 20, 0.5, 1).entries()) graph.insert(2 * place, [...vector]);
  await graph.writeFile(path());
  bytes = await readFile(path());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withChange(change: (copy: Buffer) => Buffer | undefined): Promise<string> {
  const copy = Buffer.from(bytes);
  await writeFile(path(), change(copy) ?? copy);
  const inspection = await inspect();
  await writeFile(path(), bytes);
  return inspection.ok ? 'sound' : inspection.reason;
}

describe('inspecting a graph file', () => {
  it('finds what hnswlib writes sound, and tells its labels', async () => {
    const inspection = await inspect();
    expect(inspection).toMatchObject({ ok: true });
    if (inspection.ok) expect([...inspection.labels]).toEqual(Array.from({ length: count }, (_, place) => 2 * place));
  });

  it('refuses it for another dimension, and where a label has no vector', async () => {
    expect(await inspectGraphFile(path(), dimension + 1, 2 * count)).toMatchObject({ ok: false });
    expect(await inspectGraphFile(path(), dimension, 2 * count - 2)).toMatchObject({ ok: false });
  });

  it('refuses it cut off anywhere, as a full disk leaves it, and with something behind', async () => {
    const random = seededRandom(2);
    for (let run = 0; run < 60; run++)
      expect(await withChange((copy) => copy.subarray(0, Math.floor(random() * copy.byteLength)))).not.toBe('sound');
    expect(await withChange((copy) => copy.subarray(0, copy.byteLength - 1))).not.toBe('sound');
    expect(await withChange((copy) => Buffer.concat([copy, Buffer.of(0)]))).toContain('behind');
    expect(await withChange(() => Buffer.alloc(0))).toContain('header');
  });

  it('refuses every field of the header that is wrong', async () => {
    for (let at = 0; at < 96; at += at === 48 || at === 52 ? 4 : 8)
      expect(await withChange((copy) => void copy.writeUInt8(copy.readUInt8(at + 2) ^ 0x40, at + 2)), `${at}`).not.toBe(
        'sound',
      );
  });

  it('refuses links that lead nowhere, to themselves, or to a layer that is not there; and labels told twice', async () => {
    const element = (place: number) => 96 + place * elementBytes;
    expect(await withChange((copy) => void copy.writeUInt32LE(count, element(7) + 4))).toContain('leads nowhere');
    expect(await withChange((copy) => void copy.writeUInt32LE(7, element(7) + 4))).toContain('leads nowhere');
    expect(await withChange((copy) => void copy.writeUInt16LE(2 * m + 1, element(7)))).toContain('list of links');
    expect(await withChange((copy) => void copy.writeUInt8(1, element(7) + 2))).toContain('list of links');
    expect(await withChange((copy) => void copy.writeBigUInt64LE(0n, element(8) - 8))).toContain('label');
    const low = lowest(bytes);
    const upper = firstUpperList(bytes);
    expect(await withChange((copy) => void copy.writeUInt32LE(low, upper + 4))).toContain('layer');
  });

  it('never says sound of a flipped bit that hnswlib could stumble over', async () => {
    const random = seededRandom(3);
    for (let run = 0; run < 200; run++) {
      const at = Math.floor(random() * bytes.byteLength);
      const found = await withChange(
        (copy) => void copy.writeUInt8(copy.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at),
      );
      // Another value of a vector, another link within the graph or a list's unused end: wrong, and harmless.
      if (found === 'sound') expect(isHarmless(at)).toBe(true);
    }
  });
});

/** Walks the upper layers: per vector its number of lists, and where they begin. */
function upperLists(file: Buffer): { element: number; levels: number; at: number }[] {
  const lists: { element: number; levels: number; at: number }[] = [];
  let at = 96 + count * elementBytes;
  for (let element = 0; element < count; element++) {
    const size = file.readUInt32LE(at);
    lists.push({ element, levels: size / (m * 4 + 4), at: at + 4 });
    at += 4 + size;
  }
  return lists;
}

const lowest = (file: Buffer) =>
  upperLists(file).find(({ levels, element }) => levels === 0 && element > 0)?.element ?? -1;
const firstUpperList = (file: Buffer) =>
  upperLists(file).find(({ levels, at }) => levels > 0 && file.readUInt16LE(at) > 0)?.at ?? -1;

function isHarmless(at: number): boolean {
  if (at < 96) return false;
  const within = (at - 96) % elementBytes;
  const inLayerZero = at < 96 + count * elementBytes;
  const sizes = upperLists(bytes).map((list) => list.at - 4);
  if (inLayerZero) return within < elementBytes - 8;
  return !sizes.some((size) => at >= size && at < size + 4);
}
