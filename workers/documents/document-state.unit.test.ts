import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DocumentData } from '../../schemas/events/document.ts';
import { type DocumentChange, documentChangeSchema, spokenChangeSchema } from '../../schemas/events/ingest.ts';
import { contentHash, effectiveMetadata, joinStates, overrule, spokenState } from './document-state.ts';

const defaultSpace = { model: 'test', dimension: 2, prefixScheme: 'none' } as const;

function spoken(change: unknown, sequence: number): DocumentData {
  const parsed: DocumentChange = spokenChangeSchema.parse(change);
  const result = spokenState(parsed, { corpus: 'workers', sequence, defaultSpace });
  if (!result.ok) throw new Error(result.message);
  return result.state;
}

function fold(states: readonly DocumentData[]): DocumentData | undefined {
  let known: DocumentData | undefined;
  for (const state of states) known = joinStates(known, state) ?? known;
  return known;
}

const changes = fc.oneof(
  fc.record({ id: fc.constant('w-1'), text: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ id: fc.constant('w-1'), text: fc.constantFrom('a', 'b'), metadata: fc.constantFrom({}, { n: 1 }, null) }),
  fc.record({ id: fc.constant('w-1'), metadata: fc.constantFrom({}, { n: 2 }, { n: 3 }) }),
  fc.record({ id: fc.constant('w-1'), deleted: fc.constant(true) }),
  fc.record({
    id: fc.constant('w-1'),
    vector: fc.constantFrom([1, 0], [0, 1]),
    space: fc.constantFrom('test@2', 'mine@2'),
  }),
);

describe('the state of a document', () => {
  it('is the same whatever order its events arrive in, and however often', () => {
    fc.assert(
      fc.property(
        fc.array(changes, { minLength: 1, maxLength: 8 }).chain((said) =>
          fc.record({
            said: fc.constant(said),
            order: fc.array(fc.nat(said.length - 1), { maxLength: 12 }),
            rest: fc.shuffledSubarray(
              said.map((_, index) => index),
              { minLength: said.length, maxLength: said.length },
            ),
          }),
        ),
        ({ said, order, rest }) => {
          const states = said.map((change, index) => spoken(change, index + 1));
          const arrived = [...order, ...rest].map((index) => states[index]).filter((state) => state !== undefined);
          expect(fold(arrived)).toEqual(fold(states));
        },
      ),
    );
  });

  it('keeps metadata that an event leaves out or says null of, and clears it for {}', () => {
    const first = spoken({ id: 'w-1', text: 'a', metadata: { role: 'Welder' } }, 1);
    expect(fold([first, spoken({ id: 'w-1', text: 'b' }, 2)])?.metadata).toEqual({
      version: 1,
      value: { role: 'Welder' },
    });
    expect(fold([first, spoken({ id: 'w-1', text: 'b', metadata: null }, 2)])?.metadata.version).toBe(1);
    expect(fold([first, spoken({ id: 'w-1', text: 'b', metadata: {} }, 2)])?.metadata).toEqual({
      version: 2,
      value: {},
    });
  });

  it('advances the version of content that is said again unchanged', () => {
    const state = fold([spoken({ id: 'w-1', text: 'a' }, 1), spoken({ id: 'w-1', text: 'a' }, 7)]);
    expect(state?.content.version).toBe(7);
    expect(state?.content.value?.hash).toBe(contentHash('a', undefined));
  });

  it('lets nothing older than a tombstone live, also for an id never seen', () => {
    const tombstone = spoken({ id: 'w-1', deleted: true }, 5);
    expect(joinStates(tombstone, spoken({ id: 'w-1', text: 'late', metadata: { n: 1 } }, 4))).toBeUndefined();
    expect(tombstone.former_spaces).toEqual(['test@2']);
  });

  it('remembers every space that it left', () => {
    const state = fold([
      spoken({ id: 'w-1', vector: [1, 0], space: 'mine@2' }, 1),
      spoken({ id: 'w-1', text: 'a' }, 2),
      spoken({ id: 'w-1', deleted: true }, 3),
    ]);
    expect(state?.former_spaces).toEqual(['mine@2', 'test@2']);
  });

  it('lets a weak put be where nothing was said since, and never replace what is there, whatever comes first', () => {
    const put = spoken({ id: 'w-1', text: 'there', metadata: { n: 1 } }, 3);
    const gone = spoken({ id: 'w-1', deleted: true }, 4);
    const weakly = (weak_after: number, sequence: number) =>
      spoken({ id: 'w-1', text: 'copy', metadata: { copied: true }, weak_after }, sequence);
    for (const order of [
      [put, weakly(0, 5)],
      [weakly(0, 5), put],
    ])
      expect(fold(order)).toMatchObject({
        content: { version: 3, value: { text: 'there' } },
        metadata: { version: 3 },
      });
    for (const order of [
      [put, gone, weakly(4, 6)],
      [weakly(4, 6), gone, put],
      [weakly(4, 6), weakly(4, 7), put, gone],
    ]) {
      const state = fold(order);
      expect(state).toMatchObject({ content: { version: 6, after: 4, value: { text: 'copy' } } });
      expect(state && effectiveMetadata(state)).toEqual({ version: 6, value: { copied: true } });
    }
    const later = spoken({ id: 'w-1', metadata: { n: 2 } }, 8);
    const state = fold([later, weakly(4, 6), gone]);
    expect(state && effectiveMetadata(state)).toEqual({ version: 8, value: { n: 2 } });
  });

  it('refuses weak words that stand behind themselves', () => {
    const parsed = spokenChangeSchema.parse({ id: 'w-1', text: 'a', weak_after: 5 });
    expect(spokenState(parsed, { corpus: 'workers', sequence: 5, defaultSpace }).ok).toBe(false);
    expect(documentChangeSchema.safeParse({ id: 'w-1', text: 'a', weak_after: 5 }).success).toBe(false);
  });

  it('reference 10.3: takes the last of several changes of one event, register by register', () => {
    const both = overrule(spoken({ id: 'w-1', text: 'a', metadata: { n: 1 } }, 3), spoken({ id: 'w-1', text: 'b' }, 3));
    expect(both.content.value?.text).toBe('b');
    expect(both.metadata.value).toEqual({ n: 1 });
    expect(both.former_spaces).toEqual([]);
  });

  it('refuses a vector whose dimension is not that of its space', () => {
    const parsed = documentChangeSchema.parse({ id: 'w-1', vector: [1, 2, 3] });
    const result = spokenState(parsed, { corpus: 'workers', sequence: 1, defaultSpace });
    expect(result).toEqual({ ok: false, message: 'the vector has 3 values where its space has 2 (test@2)' });
  });
});
