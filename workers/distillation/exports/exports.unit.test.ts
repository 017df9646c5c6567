import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceRecord } from '../../../schemas/distillation/evidence-record.ts';
import {
  preferenceSampleSchema,
  quarantineReasons,
  quarantineRowSchema,
  sftNever,
  sftSampleSchema,
} from '../../../schemas/distillation/exports.ts';
import { type ScoreCategory, scoreCategories } from '../../../schemas/distillation/scored-run.ts';
import { acceptanceFiles } from '../acceptance/fixture-rows.ts';
import { makeEvidence } from '../evidence/make-evidence.ts';
import { scoreEvidence } from '../scoring/score-evidence.ts';
import { instructionOf } from './instructions.ts';
import { exportPreference, pairsOf } from './preference.ts';
import { emptyCounts, quarantineRow, type ScoredEvidence } from './quarantine.ts';
import { exportRag } from './rag.ts';
import { assertTeachable, exportSft, SftContaminationError, UnknownCategoryError } from './sft.ts';

const createdAt = '2026-11-21T08:00:00.000Z';
const acceptance: ScoredEvidence[] = [...acceptanceFiles()].flatMap(([stem, lines]) =>
  lines.flatMap((text, lineOffset) => {
    const made = makeEvidence({ stem, lineOffset, text }, createdAt);
    return 'record' in made ? [{ evidence: made.record, scored: scoreEvidence(made.record, createdAt) }] : [];
  }),
);
const [first] = acceptance;
if (first?.evidence === undefined) throw new Error('the acceptance rows make no evidence');
const { evidence, scored } = { evidence: first.evidence, scored: first.scored };
const row = (category: ScoreCategory, change: Partial<EvidenceRecord> = {}): ScoredEvidence => ({
  scored: { ...scored, category },
  evidence: { ...evidence, ...change },
});
const rag = (one: ScoredEvidence, includeReview = false) => exportRag(one, { includeReview, createdAt });
const sft = (one: ScoredEvidence, includePartial = false) => exportSft(one, { includePartial, createdAt });
const reasonOf = (exported: object) =>
  'refusal' in exported ? (exported.refusal as { reason: string }).reason : 'exported';

describe('playbooks for retrieval', () => {
  it.each([
    ['accepted', false, 'exported'],
    ['partially_accepted', false, 'exported'],
    ['needs_human_review', false, 'category_disallowed'],
    ['needs_human_review', true, 'exported'],
    ['rejected', true, 'unsafe_rag_category'],
  ] as const)('%s, under review let in: %s, is %s', (category, includeReview, expected) => {
    expect(reasonOf(rag(row(category), includeReview))).toBe(expected);
  });

  it('has the text, a title of its first line, and where it came from', () => {
    const exported = rag(row('accepted', { text: `\n  ${'word '.repeat(40)}\nsecond` }));
    if ('refusal' in exported) throw new Error('refused');
    expect(exported.sample.title.length).toBeLessThanOrEqual(120);
    expect(exported.sample.title).toMatch(/^word .*word…$/);
    expect(exported.sample.provenance).toEqual(scored.provenance);
    expect(exported.sample.tags).toContain('scrum_reviews');
  });

  it('exports eight of the acceptance rows', () => {
    expect(acceptance.filter((one) => reasonOf(rag(one)) === 'exported')).toHaveLength(8);
  });
});

describe('training samples', () => {
  it('pins what is never taught', () => {
    expect([...sftNever].sort()).toEqual(['needs_human_review', 'rejected']);
  });

  it.each([
    ['accepted', false, 'exported'],
    ['partially_accepted', false, 'category_disallowed'],
    ['partially_accepted', true, 'exported'],
    ['rejected', true, 'unsafe_sft_category'],
    ['needs_human_review', true, 'unsafe_sft_category'],
  ] as const)('%s, partial let in: %s, is %s', (category, includePartial, expected) => {
    expect(reasonOf(sft(row(category), includePartial))).toBe(expected);
  });

  it('has a firewall of two layers, and tells contamination from a category that there is not', () => {
    const exported = sft(row('accepted'));
    if ('refusal' in exported) throw new Error('refused');
    for (const category of sftNever) {
      expect(sftSampleSchema.safeParse({ ...exported.sample, quality_score: category }).success).toBe(false);
      expect(() => assertTeachable(category)).toThrow(SftContaminationError);
    }
    expect(() => assertTeachable('splendid')).toThrow(UnknownCategoryError);
    expect(() => assertTeachable('accepted')).not.toThrow();
  });

  it('teaches only what somebody did, not what was drawn out of other texts', () => {
    expect(reasonOf(sft(row('accepted', { model_role: 'extractor' })))).toBe('missing_source_run_id');
    const unjudged: Partial<EvidenceRecord> = { model_role: 'reviewer' };
    const { success_markers: _none, ...bare } = evidence;
    expect(
      reasonOf(exportSft({ scored, evidence: { ...bare, ...unjudged } }, { includePartial: false, createdAt })),
    ).toBe('missing_source_run_id');
  });

  it('lesson 10: names the contractor that the row names, and none where it names none', () => {
    const contract = acceptance.find((one) => one.evidence?.metadata?.contractor === 'Beacon Freight')?.evidence;
    if (contract === undefined) throw new Error('no contract');
    expect(instructionOf(contract)).toBe('Analyse permit permit-100 of Beacon Freight for staffing.');
    expect(instructionOf({ ...contract, metadata: {} })).toBe('Analyse permit permit-100 for staffing.');
    for (const one of acceptance) if (one.evidence) expect(instructionOf(one.evidence)).not.toMatch(/[<>{}]|undefined/);
  });

  it('exports the six accepted acceptance rows at most, and never another', () => {
    const exported = acceptance.filter((one) => reasonOf(sft(one)) === 'exported');
    expect(exported).toHaveLength(6);
    expect(exported.every((one) => one.scored.category === 'accepted')).toBe(true);
  });
});

describe('pairs', () => {
  const other = (category: ScoreCategory, run: string, text: string): ScoredEvidence => ({
    scored: { ...scored, category, evidence_run_id: run },
    evidence: { ...evidence, run_id: run, text },
  });

  it('sets accepted rows beside rejected ones first, then beside partially accepted ones, each once', () => {
    const rows = [
      other('partially_accepted', 'p', 'p'),
      other('accepted', 'a1', 'a1'),
      other('rejected', 'r', 'r'),
      other('accepted', 'a2', 'a2'),
      other('accepted', 'a3', 'a3'),
    ];
    const pairs = pairsOf(rows).map(({ chosen, rejected }) => [
      chosen.scored.evidence_run_id,
      rejected.scored.evidence_run_id,
    ]);
    expect(pairs).toEqual([
      ['a1', 'r'],
      ['a2', 'p'],
    ]);
    expect(pairsOf([other('accepted', 'a', 'a')])).toEqual([]);
  });

  it('refuses a run beside itself, and two texts that are one', () => {
    const good = other('accepted', 'a', 'good');
    expect(reasonOf(exportPreference({ chosen: good, rejected: other('rejected', 'a', 'bad') }, createdAt))).toBe(
      'self_pairing',
    );
    expect(reasonOf(exportPreference({ chosen: good, rejected: other('rejected', 'r', 'good') }, createdAt))).toBe(
      'invalid_preference_pairing',
    );
    const pair = exportPreference({ chosen: good, rejected: other('rejected', 'r', 'bad') }, createdAt);
    if ('refusal' in pair) throw new Error('refused');
    expect(pair.sample.reason).toContain('accepted over rejected');
    expect(preferenceSampleSchema.safeParse({ ...pair.sample, rejected_run_id: 'a' }).success).toBe(false);
    expect(preferenceSampleSchema.safeParse({ ...pair.sample, rejected: 'good' }).success).toBe(false);
  });

  it('finds the one pair of the acceptance rows', () => {
    const tasks = new Map<string, ScoredEvidence[]>();
    for (const one of acceptance)
      tasks.set(one.scored.evidence_task_id, [...(tasks.get(one.scored.evidence_task_id) ?? []), one]);
    expect([...tasks.values()].flatMap(pairsOf)).toHaveLength(1);
  });
});

describe('what is refused', () => {
  it.each([
    [{ text: '   ' }, 'empty_content'],
    [{ source_files: ['/etc/passwd'] }, 'hallucinated_file_path'],
    [{ source_files: ['a/../../b'] }, 'hallucinated_file_path'],
    [{ source_files: ['src/<module>.rs'] }, 'hallucinated_file_path'],
  ])('%j is %s, whoever exports it', (change, reason) => {
    expect([reasonOf(rag(row('accepted', change))), reasonOf(sft(row('accepted', change)))]).toEqual([reason, reason]);
  });

  it('is a row without provenance, with a signature that is none, or without evidence', () => {
    const upper = {
      ...scored,
      provenance: { ...scored.provenance, sig_hash: scored.provenance.sig_hash.toUpperCase() },
    };
    const short = { ...scored, provenance: { ...scored.provenance, sig_hash: 'abc' } };
    expect(reasonOf(rag({ scored: upper, evidence }))).toBe('missing_provenance');
    expect(reasonOf(rag({ scored: short, evidence }))).toBe('missing_provenance');
    expect(reasonOf(rag({ scored, evidence: undefined }))).toBe('missing_source_run_id');
  });

  it('is kept whole, counted under each of the eleven reasons from 0', () => {
    const kept = quarantineRow('sft', { reason: 'empty_content', errors: ['e'] }, scored, scored.provenance, createdAt);
    expect(quarantineRowSchema.safeParse(kept).success).toBe(true);
    expect(kept.source_provenance).toEqual(expect.objectContaining({ line_offset: 0 }));
    expect(
      quarantineRow('rag', { reason: 'missing_provenance', errors: [] }, {}, undefined, createdAt),
    ).not.toHaveProperty('source_provenance');
    expect(Object.values(emptyCounts())).toEqual(new Array(quarantineReasons.length + 1).fill(0));
    expect(quarantineReasons).toHaveLength(11);
  });

  it('exports or refuses any row, the same every time', () => {
    const texts = fc.record({ text: fc.string(), source_files: fc.array(fc.string(), { maxLength: 2 }) });
    fc.assert(
      fc.property(fc.constantFrom(...scoreCategories), texts, fc.boolean(), (category, change, wide) => {
        const one = row(category, change);
        expect(rag(one, wide)).toEqual(rag(one, wide));
        const taught = sft(one, wide);
        expect(taught).toEqual(sft(one, wide));
        if ('sample' in taught) expect(sftNever).not.toContain(category);
      }),
    );
  });
});
