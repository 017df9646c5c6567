import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../schemas/problems.ts';
import { parseRequest } from '../../schemas/requests/parse.ts';
import { relevanceRequestSchema } from '../../schemas/requests/relevance.ts';
import { systemClock } from '../../streams/clock.ts';
import { filterChunks } from './filter-chunks.ts';
import { prepareFocus, relevanceWeights, scoreChunk } from './relevance.ts';
import { extractSymbols } from './symbols.ts';

const filter = (request: object) => filterChunks(parseRequest(relevanceRequestSchema, request), systemClock);
const focus = {
  path: 'crates/queryd/src/db.go',
  content: 'connector opens pool, registry datasets, snapshot',
  defined_symbols: ['Connector'],
  imported_symbols: ['catalogd::Registry'],
};
const connector = { source: 'notes', doc_id: 'd-1', text: 'Connector holds pool of idle upstream sockets' };
const registry = { source: 'notes', doc_id: 'd-2', text: 'Registry lists manifests, parts, owners' };
const junk = { source: 'notes', doc_id: 'd-3', text: 'Lunch menu for Tuesday' };

describe('the fixture', () => {
  it('keeps what speaks of a defined symbol, and drops what speaks of an imported one, or of nothing', async () => {
    const { kept, dropped, threshold } = await filter({ focus, chunks: [connector, registry, junk] });
    expect(threshold).toBe(0.3);
    expect(kept).toEqual([{ ...connector, score: expect.closeTo(0.68, 10), signals: ['defined', 'tokens'] }]);
    expect(dropped).toEqual([
      { ...registry, score: expect.closeTo(-0.46, 10), signals: ['tokens', 'imported_only'] },
      { ...junk, score: 0, signals: [] },
    ]);
  });
});

describe('one signal', () => {
  const score = (chunk: object, about: object = focus) =>
    parseRequest(relevanceRequestSchema, { focus: about, chunks: [{ text: '', ...chunk }] });
  const scored = (chunk: object, about?: object) => {
    const { focus: read, chunks } = score(chunk, about);
    const [first] = chunks;
    if (first === undefined) throw new Error('no chunk');
    return scoreChunk(prepareFocus(read), first);
  };

  it.each([
    ['the file itself', { source: focus.path }, ['path', 'filename', 'prefix']],
    ['a text that names its path', { text: `see ${focus.path}.` }, ['path', 'filename']],
    ['a file of the same name', { source: 'other/db.go' }, ['filename']],
    ['a text that names the file', { text: 'db.go has it' }, ['filename']],
    ['a file whose name ends so', { text: 'mydb.go has it' }, []],
    ['a neighbour', { source: 'crates/queryd/src/sql.go' }, ['prefix']],
    ['a file of another crate', { source: 'crates/ingestd/src/csv.go' }, []],
    ['both symbols', { text: 'Connector Registry' }, ['defined', 'tokens']],
    ['part of a symbol', { text: 'Connectors' }, []],
  ])('%s', (_name, chunk, signals) => {
    expect(scored(chunk).signals).toEqual(signals);
  });

  it('reads symbols out of the content where they are not given', () => {
    const content = 'use catalogd::{Registry, Entry as Row};\npub struct Connector {\n}\n';
    const about = { path: 'a.rs', content };
    expect(scored({ text: 'Connector' }, about).signals).toContain('defined');
    expect(scored({ text: 'Registry' }, about).signals).toContain('imported_only');
  });

  it('adds nothing for words of the language', () => {
    const about = { path: 'a.rs', content: 'pub the return await' };
    expect(scored({ text: 'await the pub return' }, about)).toEqual({ score: 0, signals: [] });
  });

  it('never leaves the range of its weights', () => {
    const word = fc.constantFrom(
      'Connector',
      'Registry',
      'pool',
      'db.go',
      'crates/queryd/src/db.go',
      'tea',
      '::',
      '\n',
    );
    const most = relevanceWeights.path + relevanceWeights.filename + relevanceWeights.defined + 0.4 + 0.3;
    fc.assert(
      fc.property(fc.array(word), fc.array(word), fc.constantFrom('', focus.path, 'x'), (text, content, source) => {
        const { score: value } = scored({ source, text: text.join(' ') }, { ...focus, content: content.join(' ') });
        expect(value).toBeGreaterThanOrEqual(-0.5);
        expect(value).toBeLessThanOrEqual(most + 1e-12);
      }),
    );
  });
});

describe('symbols', () => {
  it('are read from Rust and TypeScript', () => {
    const rust =
      'use std::io;\nuse catalogd::{Registry, store::Entry as Row};\npub(crate) async fn open() {}\nenum Kind {}\n' +
      'pub const MAX: u8 = 1;\nimpl Kind {\n    fn inner(&self) {}\n}\n';
    expect(extractSymbols(rust)).toEqual({
      defined: ['open', 'Kind', 'MAX', 'inner'],
      imported: ['io', 'Registry', 'Entry'],
    });
    const typescript =
      "import fs, { type Stats, stat as read } from 'node:fs';\nimport * as path from 'node:path';\n" +
      'export interface Shape {}\nexport default async function run() {}\nconst one = 1;\nexport type Two = 2;\n';
    expect(extractSymbols(typescript)).toEqual({
      defined: ['Shape', 'run', 'one', 'Two'],
      imported: ['fs', 'Stats', 'stat', 'path'],
    });
  });
});

// With two repetitions beside one another each of these takes minutes: the deadline of the test is what fails.
describe('symbols of a text that was made to be slow', () => {
  it.each(['import', 'import type', 'use', 'pub use', 'export', 'export async function', 'use a as b', 'import {a'])(
    'are read from %s and blanks without end',
    (head) => {
      for (const blank of [' ', '\t', ' \t', '\n', ' from', ` ${head}`, `\n${head} `]) {
        const content = `${head}${blank.repeat(200_000 / blank.length)}`.slice(0, 200_000);
        expect(extractSymbols(content).imported.length).toBeLessThan(10);
      }
    },
  );

  it.each([
    ["import type { A } from 'x'", ['A']],
    ["import {\n  A,\n  B as C,\n} from 'x'", ['A', 'B']],
    ["import 'x'", []],
    ['import a; const from = "x"', []],
    ['use a::b::{C, D as E};', ['C', 'D']],
    [`use ${'a'.repeat(3_000)};`, []],
  ])('are those of %j', (content, imported) => {
    expect(extractSymbols(content).imported).toEqual(imported);
  });
});

describe('requests', () => {
  it('may name the focus as focus_file, and by its path alone', async () => {
    const chunks = [{ text: 'see src/a.rs' }];
    expect((await filter({ focus_file: 'src/a.rs', chunks })).kept).toHaveLength(1);
    expect((await filter({ focus_file: { path: 'src/a.rs' }, chunks })).kept).toHaveLength(1);
  });

  it('keep what reaches the threshold exactly, and take another threshold', async () => {
    const neighbour = { source: 'crates/queryd/x.go', text: '' };
    const chunks = [neighbour];
    expect((await filter({ focus, chunks })).kept).toHaveLength(1);
    expect((await filter({ focus, chunks, threshold: 0.31 })).dropped).toHaveLength(1);
    expect((await filter({ focus, chunks, threshold: 'high' })).threshold).toBe(0.3);
  });

  it.each([{ chunks: [] }, { focus }, { focus: { content: 'x' }, chunks: [] }, { focus, chunks: ['x'] }])(
    'that are incomplete are refused: %j',
    (request) => {
      expect(() => parseRequest(relevanceRequestSchema, request)).toThrow(ProblemError);
    },
  );
});
