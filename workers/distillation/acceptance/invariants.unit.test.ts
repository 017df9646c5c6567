import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AcceptanceEvidence, acceptanceInvariants, gatherAcceptance } from './invariants.ts';

let root: string;
let given: AcceptanceEvidence;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakehouse-acceptance-'));
  given = await gatherAcceptance(root);
});
afterAll(() => rm(root, { recursive: true }));

type Rows = AcceptanceEvidence['rag'];
const firstOf = (rows: Rows) => rows[0] ?? {};
const changed = (rows: Rows, change: object): Rows => [{ ...firstOf(rows), ...change }, ...rows.slice(1)];
const provenance = (rows: Rows, change: object): Rows =>
  changed(rows, { provenance: { ...(firstOf(rows).provenance as object), ...change } });

/** A damage for each invariant, in their order. */
const damages: readonly [string, (whole: AcceptanceEvidence) => Partial<AcceptanceEvidence>][] = [
  ['a lost record', ({ evidence }) => ({ evidence: evidence.slice(1) })],
  ['a record of another version', ({ evidence }) => ({ evidence: changed(evidence, { schema_version: 2 }) })],
  ['a skip without a reason', ({ skips }) => ({ skips: changed(skips, { reason: '' }) })],
  ['an upper-case signature', ({ evidence }) => ({ evidence: provenance(evidence, { sig_hash: 'A'.repeat(64) }) })],
  ['a lost line offset', ({ evidence }) => ({ evidence: provenance(evidence, { line_offset: undefined }) })],
  ['an unscored record', ({ scored }) => ({ scored: scored.slice(1) })],
  ['a score without a reason', ({ scored }) => ({ scored: changed(scored, { reasons: [] }) })],
  ['another category', ({ scored }) => ({ scored: scored.map((row) => ({ ...row, category: 'accepted' })) })],
  ['a rejected playbook', ({ rag }) => ({ rag: changed(rag, { success_score: 'rejected' }) })],
  ['a lost playbook', ({ rag }) => ({ rag: rag.slice(1) })],
  ['a sample of a rejected row', ({ sft }) => ({ sft: changed(sft, { quality_score: 'rejected' }) })],
  ['a sample without a response', ({ sft }) => ({ sft: changed(sft, { response: ' ' }) })],
  ['a pair too many', ({ preference }) => ({ preference: [...preference, ...preference] })],
  [
    'a pair of one run',
    ({ preference }) => ({ preference: changed(preference, { chosen_run_id: firstOf(preference).rejected_run_id }) }),
  ],
  ['an exported row from nowhere', ({ rag }) => ({ rag: changed(rag, { provenance: undefined }) })],
  ['an id twice', ({ rag }) => ({ rag: changed(rag, { id: rag[1]?.id }) })],
  [
    'a refusal that nobody wrote down',
    ({ quarantined }) => ({ quarantined: quarantined.filter(({ exporter }) => exporter !== 'rag') }),
  ],
  ['a refusal for no reason', ({ quarantined }) => ({ quarantined: changed(quarantined, { reason: 'because' }) })],
  ['a missing receipt', ({ first }) => ({ first: { ...first, receipts: first.receipts.slice(1) } })],
  ['a line that a second run adds', ({ linesAfter }) => ({ linesAfter: linesAfter + 1 })],
  [
    'another run hash',
    ({ again }) => ({ again: { ...again, summary: { ...again.summary, run_hash: 'f'.repeat(64) } } }),
  ],
  ['drift from nothing', ({ again }) => ({ again: { ...again, drift: { ...again.drift, severity: 'alert' } } })],
];

describe('the acceptance gate', () => {
  it('has twenty-two invariants, and all of them hold', () => {
    const invariants = acceptanceInvariants(given);
    expect(invariants.filter(({ holds }) => !holds)).toEqual([]);
    expect(invariants).toHaveLength(22);
    expect(damages).toHaveLength(22);
  });

  it('lesson 16: does not take two runs that made nothing for two that are equal', () => {
    const empty = { ...given.first, receipts: [] };
    const nothing = { first: empty, again: empty, elsewhere: empty, linesBefore: 0, linesAfter: 0 };
    const equalities = acceptanceInvariants({ ...given, ...nothing }).filter(({ sentence }) =>
      /adds no line|give the same run hash/.test(sentence),
    );
    expect(equalities.map(({ holds }) => holds)).toEqual([false, false]);
  });

  it.each(damages.map(([name, damage], index) => ({ name, damage, index })))('notices $name', ({ damage, index }) => {
    const before = acceptanceInvariants(given)[index];
    const after = acceptanceInvariants({ ...given, ...damage(given) })[index];
    expect([before?.holds, after?.holds]).toEqual([true, false]);
    expect(after?.sentence).toBe(before?.sentence);
  });
});
