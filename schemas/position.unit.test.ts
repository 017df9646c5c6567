import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPosition, joinPositions, parsePosition } from './position.ts';
import { searchRequestSchema, searchSlips } from './requests/matrix.ts';
import { parseRequest } from './requests/parse.ts';
import { formatSpace, parseSpace } from './space.ts';
import { decodeVector, encodeVector } from './vector.ts';

const positions = fc.dictionary(fc.constantFrom('VECTORS', 'PLAYBOOKS', 'INGEST'), fc.nat());

describe('a position', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(parsePosition(formatPosition(position))).toEqual({ ...position });
      }),
    );
  });

  it('joins to the later of each stream', () => {
    expect(joinPositions({ VECTORS: 5, PLAYBOOKS: 1 }, { VECTORS: 3, PLAYBOOKS: 2 })).toEqual({
      VECTORS: 5,
      PLAYBOOKS: 2,
    });
  });

  it.each(['VECTORS', 'VECTORS=', 'vectors=1', 'VECTORS=-1', 'VECTORS=1;PLAYBOOKS=2', 'A=99999999999999999'])(
    'is not read from %j',
    (text) => expect(parsePosition(text)).toBeUndefined(),
  );
});

describe('a space', () => {
  it('comes back as it was written', () => {
    expect(formatSpace({ model: 'nomic-embed-text', dimension: 768, prefixScheme: 'nomic' })).toBe(
      'nomic-embed-text@768+nomic',
    );
    expect(parseSpace('nomic-embed-text@768+nomic')).toEqual({
      model: 'nomic-embed-text',
      dimension: 768,
      prefixScheme: 'nomic',
    });
  });

  it.each(['mine', 'mine@0', 'mine@9000', '@3', 'mine@3+other', 'a b@3'])('is not read from %j', (text) =>
    expect(parseSpace(text)).toBeUndefined(),
  );
});

describe('a vector', () => {
  it('comes back from base64 bit for bit', () => {
    fc.assert(
      fc.property(fc.float32Array({ minLength: 1 }), (vector) => {
        expect(encodeVector(decodeVector(encodeVector(vector)) ?? new Float32Array())).toBe(encodeVector(vector));
        expect(Buffer.from(encodeVector(vector), 'base64').equals(Buffer.from(vector.buffer))).toBe(true);
      }),
    );
  });

  it('is read from base64 of whole floats and from nothing else', () => {
    const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
    const character = fc.constantFrom(...'AQgwAQgw019+/=-_ \n!ä\u0000');
    const written = fc
      .tuple(fc.array(character, { maxLength: 24 }), fc.constantFrom('', '=', '==', '==='))
      .map(([text, end]) => text.join('') + end);
    const nearly = fc
      .tuple(fc.float32Array({ minLength: 1, maxLength: 4 }), fc.nat(), character)
      .map(([vector, at, other]) => {
        const text = encodeVector(vector);
        return text.slice(0, at % text.length) + other + text.slice((at % text.length) + 1);
      });
    fc.assert(
      fc.property(fc.oneof(written, nearly), (text) => {
        const isVector = base64.test(text) && Buffer.byteLength(text, 'base64') % 4 === 0;
        expect(decodeVector(text) !== undefined).toBe(isVector);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['AAAA', 'AAAAAAA', '####', 'AAAAAA==', ' AAAAAA='])(
    'is not read from %j where that is not whole floats',
    (text) => {
      const decoded = decodeVector(text);
      expect(decoded === undefined || decoded.length * 4 === Buffer.from(text, 'base64').length).toBe(true);
      if (text !== 'AAAAAA==') expect(decoded).toBeUndefined();
    },
  );
});

describe('a search request', () => {
  const said = (body: object) => () => parseRequest(searchRequestSchema, body, searchSlips);

  it('lesson 24, reference 10.28: names query_text where somebody wrote query', () => {
    expect(said({ query: 'forklift', corpora: ['workers'] })).toThrow(
      'unknown field "query": did you mean "query_text"?',
    );
  });

  it('needs corpora and a query', () => {
    expect(said({ query_text: 'x' })).toThrow(/^corpora: is needed/);
    expect(said({ query_text: 'x', corpora: [] })).toThrow('corpora: must name at least one corpus');
    expect(said({ query_text: 'x', corpora: ['a', 'a'] })).toThrow('corpora: names a corpus twice');
    expect(said({ corpora: ['workers'] })).toThrow('query_text: one of query_text and query_vector is needed');
  });

  it('fills in the defaults of the reference', () => {
    expect(parseRequest(searchRequestSchema, { query_text: 'x', corpora: ['workers'] })).toMatchObject({
      k: 10,
      use_playbook: false,
      playbook_corpus: 'playbook_memory',
      playbook_max_distance: 0.5,
      playbook_max_inject_distance: 0.2,
      query_role: '',
    });
  });
});
