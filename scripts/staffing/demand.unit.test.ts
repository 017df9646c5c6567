import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cncQuery, demandQueries, demandSentence, forkliftQuery, loadBodies, needQueries } from './demand.ts';
import { roles } from './roles.ts';

const demand = {
  count: 3,
  role: 'Forklift Operator',
  city: 'Aurora',
  state: 'IL',
  client: 'Parallel Machining',
};

describe('demandSentence', () => {
  it('writes the two known queries', () => {
    expect(demandSentence(demand, 'need')).toBe(forkliftQuery.query_text);
    expect(forkliftQuery.query_text).toBe('Need 3 Forklift Operators in Aurora IL for Parallel Machining');
    const one = { count: 1, role: 'CNC Operator', city: 'Detroit', state: 'MI', client: 'Beacon Freight' };
    expect(demandSentence(one, 'need')).toBe(cncQuery.query_text);
    expect(cncQuery.query_text).toBe('Need 1 CNC Operator in Detroit MI for Beacon Freight');
  });

  it('writes every shape, with and without a start', () => {
    const early = { ...demand, startAt: '06:00' };
    expect(demandSentence(early, 'need')).toBe(
      'Need 3 Forklift Operators in Aurora IL starting at 06:00 for Parallel Machining',
    );
    expect(demandSentence(early, 'client_first')).toBe(
      'Parallel Machining needs 3 Forklift Operators in Aurora IL starting at 06:00',
    );
    expect(demandSentence(demand, 'looking')).toBe(
      'Looking for 3 Forklift Operators at Parallel Machining in Aurora IL',
    );
    expect(demandSentence(demand, 'shorthand')).toBe('3 Forklift Operators Aurora IL Parallel Machining');
    expect(demandSentence(early, 'shorthand')).toBe('3 Forklift Operators Aurora IL 06:00 Parallel Machining');
  });
});

describe('needQueries and demandQueries', () => {
  it('are distinct, repeatable, and name a role that the text asks for', () => {
    const known = new Set(roles.map((role) => role.role));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 300 }), (seed, count) => {
        const queries = needQueries({ count, seed });
        expect(queries).toHaveLength(count);
        expect(new Set(queries.map((query) => query.query_text)).size).toBe(count);
        expect(needQueries({ count: 300, seed }).slice(0, count)).toEqual(queries);
        for (const query of queries) {
          expect(known).toContain(query.query_role);
          expect(query.query_text).toMatch(new RegExp(`^Need \\d ${query.query_role}s? in .+ [A-Z]{2} .*for .+`));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('takes the shapes by turns', () => {
    const [need, clientFirst, looking, shorthand] = demandQueries({ count: 4, seed: 1 });
    expect(need?.query_text).toMatch(/^Need \d/);
    expect(clientFirst?.query_text).toMatch(/ needs \d/);
    expect(looking?.query_text).toMatch(/^Looking for \d/);
    expect(shorthand?.query_text).toMatch(/^\d /);
  });

  it('refuses counts that it cannot serve', () => {
    for (const count of [-1, 0.5, 100_001]) expect(() => needQueries({ count, seed: 1 })).toThrow(RangeError);
  });
});

it('has six load bodies with the known heads, in order', () => {
  expect(loadBodies.map((body) => body.query_role.split(' ')[0])).toEqual([
    'Forklift',
    'CNC',
    'Warehouse',
    'Picker',
    'Loader',
    'Shipping',
  ]);
  const known = new Set(roles.map((role) => role.role));
  for (const body of loadBodies) {
    expect(known).toContain(body.query_role);
    expect(body).toMatchObject({ corpora: ['workers'], k: 10, per_corpus_k: 10, use_playbook: false });
  }
});
