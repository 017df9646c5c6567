import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type DigestedDocument, digestAll, digestDocuments, digestInSlices } from './digest.ts';

const name = { kind: 'documents', corpus: 'workers', space: 'mine@2' };
const document = (id: string, changes: Partial<DigestedDocument> = {}): DigestedDocument => ({
  id,
  content: { version: 3, hash: 'ab' },
  metadata: { version: 2, json: '{"role":"Welder"}' },
  vector: Float32Array.of(1, -0),
  ...changes,
});
const tombstone = (id: string) => document(id, { content: { version: 9, hash: null }, vector: null });

describe('the state digest', () => {
  it('is SHA-256 over the documented bytes', () => {
    const vector = Buffer.from([0, 0, 0x80, 0x3f, 0, 0, 0, 0x80]);
    const bytes = Buffer.concat([
      Buffer.from('["lakehouse.digest.v1","documents","workers","mine@2","versions"]\n'),
      Buffer.from('["a",3,"ab",2,"{\\"role\\":\\"Welder\\"}"]\n'),
      vector,
      Buffer.from('\n["b",9,null,2,"{\\"role\\":\\"Welder\\"}"]\n\n'),
    ]);
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect(digestDocuments(name, [document('a'), tombstone('b')])).toBe(expected);
  });

  const changed: Readonly<Record<string, readonly DigestedDocument[]>> = {
    'an id': [document('b')],
    'a content version': [document('a', { content: { version: 4, hash: 'ab' } })],
    'a content hash': [document('a', { content: { version: 3, hash: 'ac' } })],
    'a metadata version': [document('a', { metadata: { version: 3, json: '{"role":"Welder"}' } })],
    metadata: [document('a', { metadata: { version: 2, json: null } })],
    'one bit of a vector': [document('a', { vector: Float32Array.of(1, 0) })],
    'a tombstone': [document('a'), tombstone('b')],
  };
  for (const [what, documents] of Object.entries(changed))
    it(`tells ${what} apart`, () => {
      expect(digestDocuments(name, documents)).not.toBe(digestDocuments(name, [document('a')]));
    });

  it('tells corpora, spaces and kinds apart', () => {
    const digests = [name, { ...name, corpus: 'other' }, { ...name, space: 'mine@3' }, { ...name, kind: 'playbooks' }];
    expect(new Set(digests.map((one) => digestDocuments(one, [document('a')]))).size).toBe(digests.length);
  });

  it('without versions tells only what lives and what it says', () => {
    const without = (documents: readonly DigestedDocument[]) =>
      digestDocuments(name, documents, { withoutVersions: true });
    const risen = document('a', {
      content: { version: 30, hash: 'ab' },
      metadata: { version: 20, json: '{"role":"Welder"}' },
    });
    expect(without([risen, tombstone('b')])).toBe(without([document('a')]));
    expect(without([document('a', { metadata: { version: 2, json: null } })])).not.toBe(without([document('a')]));
    expect(without([document('a', { vector: Float32Array.of(1, 0) })])).not.toBe(without([document('a')]));
    expect(without([document('a')])).not.toBe(digestDocuments(name, [document('a')]));
  });

  it('refuses documents out of order', () => {
    expect(() => digestDocuments(name, [document('b'), document('a')])).toThrow('order');
    expect(() => digestDocuments(name, [document('a'), document('a')])).toThrow('order');
    // U+10000 comes after U+FFFF in UTF-8, though not in JavaScript's order.
    expect(digestDocuments(name, [document('\uffff'), document('\u{10000}')])).toMatch(/^[0-9a-f]{64}$/);
  });

  it('in slices is the same, and lets others in', async () => {
    const documents = Array.from({ length: 3_000 }, (_, place) =>
      document(`w-${String(place).padStart(6, '0')}`, { vector: new Float32Array(512).fill(place) }),
    );
    let turns = 0;
    let sliced: string | undefined;
    const turn = () => {
      turns++;
      if (sliced === undefined) setImmediate(turn);
    };
    setImmediate(turn);
    sliced = await digestInSlices(name, documents);
    expect(sliced).toBe(digestDocuments(name, documents));
    expect(turns).toBeGreaterThanOrEqual(2);
  });
});

describe('the digest of all', () => {
  it('does not depend on their order, and on everything else', () => {
    const one = { ...name, digest: '11' };
    const other = { ...name, corpus: 'other', digest: '22' };
    expect(digestAll([one, other])).toBe(digestAll([other, one]));
    expect(digestAll([one, { ...other, digest: '33' }])).not.toBe(digestAll([one, other]));
    expect(digestAll([one])).not.toBe(digestAll([one, other]));
  });
});
