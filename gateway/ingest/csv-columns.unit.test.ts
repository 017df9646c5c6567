import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CsvQuery } from '../../schemas/requests/ingest.ts';
import { ColumnError, createColumnMap, csvColumnsMax } from './csv-columns.ts';

function read(header: string[], cells: string[], query: CsvQuery = {}) {
  return createColumnMap(header, query).read(cells);
}

describe('columns of CSV', () => {
  it('become id, text and metadata, and empty cells are left out', () => {
    expect(read(['id', 'text', 'city', 'shift'], ['w-1', 'Welder', 'Aurora', ''])).toEqual({
      document: { id: 'w-1', text: 'Welder', metadata: { city: 'Aurora' } },
    });
  });

  it('are named by their producer, and a template makes one text of several', () => {
    const header = ['worker_id', 'name', 'skills', 'city'];
    const cells = ['7', 'Ada', 'forklift, OSHA-30', 'Aurora'];
    expect(read(header, cells, { id: 'worker_id', text: '{name}: {skills}', metadata: 'city' })).toEqual({
      document: { id: '7', text: 'Ada: forklift, OSHA-30', metadata: { city: 'Aurora' } },
    });
    expect(read(header, cells, { id: 'worker_id', text: 'skills' })).toEqual({
      document: { id: '7', text: 'forklift, OSHA-30', metadata: { name: 'Ada', city: 'Aurora' } },
    });
    expect(read(header, cells, { id: 'worker_id', text: '', metadata: 'name' })).toEqual({
      document: { id: '7', metadata: { name: 'Ada' } },
    });
  });

  it('say nothing where every column of their template is empty', () => {
    expect(read(['id', 'a', 'b'], ['1', '', ' '], { text: '{a}: {b}', metadata: '' })).toEqual({
      document: { id: '1', text: '' },
    });
  });

  it.each(['0630555123', '+1 630 555 0100', '60502', '02139', '1e5', '007', 'NaN', 'true', ' 7'])(
    'reference 10.46: keep %j as it was written',
    (cell) => {
      expect(read(['id', 'phone'], ['1', cell], { text: '' })).toEqual({
        document: { id: '1', metadata: { phone: cell } },
      });
    },
  );

  it('reference 10.46: never lose a digit, whatever a cell holds and whether numbers are recognised or not', () => {
    const cell = fc.oneof(fc.string({ minLength: 1 }), fc.stringMatching(/^[-+]?[0-9]{1,20}(\.[0-9]{0,20})?$/));
    fc.assert(
      fc.property(cell, fc.boolean(), (text, auto) => {
        const answer = read(['id', 'cell'], ['1', text], { text: '', ...(auto ? { types: 'auto' } : {}) });
        expect('document' in answer && String(answer.document.metadata?.cell)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('have the type that was declared', () => {
    const header = ['id', 'years', 'active', 'skills', 'zip'];
    const types = 'years:number,active:boolean,skills:json';
    expect(read(header, ['1', ' 3.50', 'TRUE', '["a"]', '007'], { text: '', types })).toEqual({
      document: { id: '1', metadata: { years: 3.5, active: true, skills: ['a'], zip: '007' } },
    });
    expect(read(header, ['1', '12', 'x', '', '60502'], { text: '', types: 'auto' })).toEqual({
      document: { id: '1', metadata: { years: 12, active: 'x', zip: 60502 } },
    });
  });

  it.each([
    ['years:number', '007'],
    ['years:number', '+7'],
    ['years:number', '1,5'],
    ['years:number', '9007199254740993'],
    ['years:number', '1e999'],
    ['years:number', '0x10'],
    ['years:boolean', 'yes'],
    ['years:json', '{'],
  ])('declared as %s refuse %j', (types, cell) => {
    expect(read(['id', 'years'], ['w-1', cell], { text: '', types })).toMatchObject({
      fault: expect.stringContaining('"years"'),
      id: 'w-1',
    });
  });

  it('are as many as the header has, in every row', () => {
    expect(read(['id', 'text'], ['w-1', 'a', 'b'])).toEqual({ fault: 'has 3 cells where the header has 2', id: 'w-1' });
    expect(read(['id', 'text'], ['w-1'])).toMatchObject({ id: 'w-1' });
  });

  it.each<[string, string[], CsvQuery]>([
    ['no column "id"', ['ID', 'text'], {}],
    ['no column "text"', ['id', 'resume'], {}],
    ['no column "name"', ['id', 'text'], { text: '{name}' }],
    ['no column "city"', ['id', 'text'], { metadata: 'city' }],
    ['no column "age"', ['id', 'text'], { types: 'age:number' }],
    ['"age" does not read', ['id', 'text', 'age'], { types: 'age' }],
    ['does not read', ['id', 'text', 'age'], { types: 'age:date' }],
    ['twice', ['id', 'text', 'text'], {}],
    [`${csvColumnsMax} are taken`, Array.from({ length: csvColumnsMax + 1 }, (_, at) => `c${at}`), {}],
  ])('tell that there is %s', (said, header, query) => {
    expect(() => createColumnMap(header, query)).toThrow(ColumnError);
    expect(() => createColumnMap(header, query)).toThrow(said);
  });
});
