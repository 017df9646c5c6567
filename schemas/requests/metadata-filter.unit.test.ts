import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../contracts/json-schema.ts';
import { issueSentence } from '../problems.ts';
import { searchRequestSchema } from './matrix.ts';
import { filterLimits, metadataFilterSchema } from './metadata-filter.ts';

const request = (filter: unknown) => ({ query_text: 'welder', corpora: ['workers'], metadata_filter: filter });

function refusal(filter: unknown): string | undefined {
  const parsed = searchRequestSchema.safeParse(request(filter));
  return parsed.success ? undefined : issueSentence(parsed.error);
}

const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}1${']'.repeat(levels)}`);

describe('a metadata filter', () => {
  it.each([
    {},
    { state: 'IL', active: true, note: null, years: 3 },
    { state: ['IL', 'WI'], home: [{ city: 'Aurora' }] },
    { years: { gte: 3, lt: 10, not: [5, null] }, since: { gt: '2026-01-01' }, skills: { in: ['TIG'] } },
    { state: { exists: false } },
    { many: Array.from({ length: filterLimits.listEntriesMax }, (_, n) => n) },
  ])('is taken as it is: %j', (filter) => {
    expect(searchRequestSchema.parse(request(filter)).metadata_filter).toEqual(filter);
  });

  it.each([
    [
      { years: { above: 3 } },
      'metadata_filter.years: "above" is no operator; there are gt, gte, lt, lte, in, not, exists. An object to be equal to stands in a list: [{...}]',
    ],
    [{ a: { gte: 1, GT: 2 } }, 'metadata_filter.a: "GT" is no operator'],
    [{ a: {} }, 'metadata_filter.a: names no operator'],
    [{ a: { gte: null } }, 'metadata_filter.a: "gte" takes a number or a text'],
    [{ a: { lt: [1] } }, 'metadata_filter.a: "lt" takes a number or a text'],
    [{ a: { in: 'x' } }, 'metadata_filter.a: "in" takes a list'],
    [{ a: { not: { gte: 3 } } }, 'metadata_filter.a: "not" takes a scalar or a list'],
    [{ a: { exists: 'yes' } }, 'metadata_filter.a: "exists" takes true or false'],
    [{ a: { constructor: 1 } }, 'metadata_filter.a: "constructor" is no operator'],
    [[], 'metadata_filter: must be a JSON object'],
    ['state', 'metadata_filter: must be a JSON object'],
    [
      { a: Array.from({ length: 1_001 }, () => 1) },
      'metadata_filter.a: a list may hold at most 1000 entries, not 1001',
    ],
    [{ a: { in: Array.from({ length: 1_001 }, () => 1) } }, '"in" may hold at most 1000 entries, not 1001'],
    [Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n, 1])), 'must have at most 16 keys, not 17'],
    [{ ['k'.repeat(257)]: 1 }, 'must have keys of at most 256 characters'],
    [{ a: 'x'.repeat(70_000) }, 'must be at most 65536 bytes of JSON'],
    [{ a: nested(8) }, 'must not be nested more than 8 levels deep'],
    [{ a: nested(100_000) }, 'must not be nested more than 8 levels deep'],
  ])('is refused by name: %#', (filter, message) => {
    expect(refusal(filter)).toContain(message);
  });

  it('keeps a key named __proto__', () => {
    const filter = JSON.parse('{"__proto__":"x"}');
    const parsed = searchRequestSchema.parse(request(filter)).metadata_filter;
    expect(Object.keys(parsed ?? {})).toEqual(['__proto__']);
  });

  it('is told whole in the contract', () => {
    expect(JSON.stringify(jsonSchema(metadataFilterSchema, 'input'))).toContain('"exists":{"type":"boolean"}');
  });
});
