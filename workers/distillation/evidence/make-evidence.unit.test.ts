import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evidenceRecordSchema, evidenceSkipSchema } from '../../../schemas/distillation/evidence-record.ts';
import { acceptanceFiles, acceptanceRows } from '../acceptance/fixture-rows.ts';
import { scoreEvidence, scoreKey, scorerVersion } from '../scoring/score-evidence.ts';
import { makeEvidence } from './make-evidence.ts';
import { type EvidenceStem, evidenceStems } from './sources.ts';

const recordedAt = '2026-11-21T08:00:00.000Z';
const evidenceOf = (stem: EvidenceStem, row: unknown, lineOffset = 0, at = recordedAt) =>
  makeEvidence({ stem, lineOffset, text: typeof row === 'string' ? row : JSON.stringify(row) }, at);
const recordOf = (stem: EvidenceStem, row: unknown, lineOffset = 0) => {
  const made = evidenceOf(stem, row, lineOffset);
  if ('skip' in made) throw new Error(made.skip.errors.join());
  return made.record;
};
const skipOf = (stem: EvidenceStem, row: unknown) => {
  const made = evidenceOf(stem, row);
  if ('record' in made) throw new Error('it became evidence');
  return made.skip;
};
const scrum = { run_id: 's', file: 'a.rs', reviewed_at: '2026-04-27T05:00:00Z', accepted_on_attempt: 1 };

describe('a source row becomes evidence', () => {
  it('makes of the fifteen acceptance rows fourteen records and one skip, scored as expected', () => {
    const made = [...acceptanceFiles()].flatMap(([stem, lines]) =>
      lines.map((text, lineOffset) => ({ stem, made: makeEvidence({ stem, lineOffset, text }, recordedAt) })),
    );
    const expected = [...acceptanceFiles().keys()].flatMap((stem) => acceptanceRows.filter((row) => row.stem === stem));
    const categories = made.map((one) =>
      'record' in one.made ? scoreEvidence(one.made.record, recordedAt).category : null,
    );
    expect(categories).toEqual(expected.map(({ category }) => category));
    expect(categories.filter((category) => category === null)).toHaveLength(1);
    expect(categories.filter((category) => category === 'accepted')).toHaveLength(6);
    expect(categories.filter((category) => category === 'rejected')).toHaveLength(4);
  });

  it('lesson 1: writes the line offset of the first row', () => {
    const text = JSON.stringify(recordOf('scrum_reviews', scrum, 0));
    expect(text).toContain('"line_offset":0');
  });

  it('lesson 3: keeps every digit of a timestamp', () => {
    const record = recordOf('scrum_reviews', { ...scrum, reviewed_at: '2026-05-01T07:53:54.461439210Z' });
    expect(record.timestamp).toBe('2026-05-01T07:53:54.461439210Z');
  });

  it('lesson 7: gives a change without a time the time of its intake, the same twice', () => {
    const row = { file: 'a.rs', action: 'committed', patch: 'x' };
    expect(recordOf('auto_apply', row).timestamp).toBe(recordedAt);
    expect(recordOf('auto_apply', row)).toEqual(recordOf('auto_apply', row));
  });

  it('tells why a row became none, with where it came from', () => {
    expect(skipOf('scrum_reviews', { ...scrum, reviewed_at: undefined })).toMatchObject({
      reason: 'transform_refused',
    });
    expect(skipOf('audits', '{"finding_id":')).toMatchObject({ reason: 'invalid_json' });
    expect(skipOf('audits', '[1]')).toMatchObject({ reason: 'not_an_object' });
    const skip = skipOf('audits', { finding_id: 'f', phase: '1' });
    expect(skip).toMatchObject({ reason: 'schema_violation', provenance: { source_file: 'data/_kb/audits.jsonl' } });
    expect(skip.errors.join()).toContain('timestamp');
  });

  it('leaves out a fact that a verifier found incorrect', () => {
    const row = { run_id: 'r', extracted_at: '2026-04-27T05:00:00Z', facts: ['true', 'false'] };
    const record = recordOf('audit_facts', { ...row, verifier_verdicts: [{ verdict: 'CORRECT' }, 'INCORRECT'] });
    expect(record).toMatchObject({ text: 'true', metadata: { facts: 2, facts_incorrect: 1 } });
  });

  it('has one identity for a row whatever the order of its keys and the day of its intake', () => {
    const turned = Object.fromEntries(Object.entries(scrum).reverse());
    const other = evidenceOf('scrum_reviews', turned, 0, '2026-12-24T00:00:00.000Z');
    expect('record' in other && other.record.provenance.sig_hash).toBe(
      recordOf('scrum_reviews', scrum).provenance.sig_hash,
    );
  });

  it('makes of any line a valid record or a valid skip, and throws for none', () => {
    const names = [
      'run_id',
      'reviewed_at',
      'ts',
      'file',
      'verdict',
      'severity',
      'facts',
      'text',
      'created_at',
      'score',
    ];
    const row = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(fc.constantFrom(...evidenceStems), fc.oneof(row, fc.string()), fc.nat(), (stem, value, offset) => {
        const made = evidenceOf(stem, value, offset);
        const valid =
          'record' in made ? evidenceRecordSchema.safeParse(made.record) : evidenceSkipSchema.safeParse(made.skip);
        expect(valid.error).toBeUndefined();
      }),
    );
  });
});

describe('the score of evidence', () => {
  const categoryOf = (stem: EvidenceStem, row: object) => scoreEvidence(recordOf(stem, row), recordedAt).category;

  it.each([
    [1, 'accepted'],
    [2, 'partially_accepted'],
    [3, 'partially_accepted'],
    [4, 'partially_accepted'],
    [undefined, 'needs_human_review'],
  ])('a review accepted on attempt %s is %s', (attempt, category) => {
    expect(categoryOf('scrum_reviews', { ...scrum, accepted_on_attempt: attempt })).toBe(category);
  });

  it('tells of the high cost from the fourth attempt on', () => {
    const reasons = (attempt: number) =>
      scoreEvidence(recordOf('scrum_reviews', { ...scrum, accepted_on_attempt: attempt }), recordedAt).reasons.join();
    expect(reasons(4)).toContain('high cost');
    expect(reasons(3)).not.toContain('high cost');
  });

  it.each([
    ['accept', 'accepted'],
    ['reject', 'rejected'],
    ['cycle', 'partially_accepted'],
    [undefined, 'needs_human_review'],
    ['perhaps', 'needs_human_review'],
  ])('an observer who says %s makes it %s', (verdict, category) => {
    expect(categoryOf('observer_reviews', { file: 'a', ts: '2026-04-27T05:00:00Z', verdict })).toBe(category);
  });

  it.each([
    [{ severity: 'info' }, 'accepted'],
    [{ severity: 'low' }, 'accepted'],
    [{ severity: 'medium' }, 'partially_accepted'],
    [{ severity: 'high' }, 'rejected'],
    [{ severity: 'Critical' }, 'rejected'],
    [{ failure_markers: ['block'] }, 'rejected'],
    [{ failure_markers: ['request_changes'] }, 'partially_accepted'],
    [{ success_markers: ['approved'] }, 'accepted'],
    [{}, 'needs_human_review'],
  ])('lesson 11: an audit finding of %j is %s', (fields, category) => {
    const finding = { finding_id: 'f', phase: '1', topic: 't', ts: '2026-04-27T05:00:00Z', evidence: 'e', ...fields };
    expect(categoryOf('audits', finding)).toBe(category);
  });

  it.each([
    ['committed', 'accepted'],
    ['build_red_reverted', 'rejected'],
    ['tests_red_reverted', 'rejected'],
    ['proposed', 'needs_human_review'],
  ])('a change that was %s is %s', (action, category) => {
    expect(categoryOf('auto_apply', { file: 'a', action })).toBe(category);
  });

  it.each([
    [{ response: '' }, 'rejected'],
    [{ response: 'x', latency_ms: 120_001 }, 'partially_accepted'],
    [{ response: 'x', latency_ms: 120_000 }, 'needs_human_review'],
  ])('an experiment with %j is %s', (fields, category) => {
    expect(categoryOf('mode_experiments', { mode: 'm', ts: '2026-04-27T05:00:00Z', ...fields })).toBe(category);
  });

  it.each([
    [{ all_events_ok: true }, 'accepted'],
    [{ all_events_ok: true, gap_signals: 2 }, 'partially_accepted'],
    [{}, 'needs_human_review'],
  ])('an outcome with %j is %s', (fields, category) => {
    expect(categoryOf('outcomes', { scenario: 's', created_at: '2026-04-27T05:00:00Z', ...fields })).toBe(category);
  });

  it('lesson 28: tells a choice without a score from one with the score 0', () => {
    const record = { run_id: 'playbooks:1', playbook_id: 'pb-1', recorded_at: '2026-04-27T05:00:00Z', text: 'chosen' };
    expect(categoryOf('playbook_records', record)).toBe('needs_human_review');
    expect(categoryOf('playbook_records', { ...record, score: null })).toBe('needs_human_review');
    expect(categoryOf('playbook_records', { ...record, score: 0 })).toBe('partially_accepted');
    expect(categoryOf('playbook_records', { ...record, score: 1 })).toBe('accepted');
  });

  it('leaves the record as it was, and gives the same score twice', () => {
    const record = recordOf('scrum_reviews', scrum);
    const before = structuredClone(record);
    expect(scoreEvidence(record, recordedAt)).toEqual(scoreEvidence(record, recordedAt));
    expect(record).toEqual(before);
  });

  it('is another score under another version of the rules', () => {
    const scored = scoreEvidence(recordOf('scrum_reviews', scrum), recordedAt);
    expect(scoreKey(scored)).toBe(`${scored.provenance.sig_hash}:${scorerVersion}`);
    expect(scoreKey({ ...scored, scorer_version: 'v1.0.1' })).not.toBe(scoreKey(scored));
  });

  it('lesson 6: has the version that the code says, whatever the environment holds', () => {
    process.env.LH_SCORER_VERSION = 'v9.9.9';
    expect(scoreEvidence(recordOf('scrum_reviews', scrum), recordedAt).scorer_version).toBe('v1.0.0');
    delete process.env.LH_SCORER_VERSION;
  });
});
