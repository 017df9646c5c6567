import type { EvidenceRecord } from '../../../schemas/distillation/evidence-record.ts';
import type { ScoreCategory } from '../../../schemas/distillation/scored-run.ts';
import type { EvidenceStem } from '../evidence/sources.ts';

/** What a rule says of a record: the category, and a sentence for each reason. */
export interface Score {
  readonly category: ScoreCategory;
  readonly reasons: readonly [string, ...string[]];
}

type Rule = (record: EvidenceRecord) => Score;

const latencyMsMax = 120_000;
const attemptsPartialMax = 3;

const score = (category: ScoreCategory, ...reasons: [string, ...string[]]): Score => ({ category, reasons });

/** Accepted on the first attempt, or later at more cost; without a marker nobody knows. */
const scrumReview: Rule = ({ success_markers = [] }) => {
  const [attempt] = success_markers.flatMap((marker) => {
    const [, number] = /^accepted_on_attempt_(\d+)$/.exec(marker) ?? [];
    return number === undefined ? [] : [Number(number)];
  });
  if (attempt === undefined) return score('needs_human_review', 'no marker tells on which attempt it was accepted');
  if (attempt <= 1) return score('accepted', 'accepted on the first attempt');
  const cost = attempt > attemptsPartialMax ? ['a high cost: more than three attempts'] : [];
  return score('partially_accepted', `accepted on attempt ${attempt}`, ...cost);
};

const observerReview: Rule = ({ observer_verdict }) => {
  if (observer_verdict === 'accept') return score('accepted', 'the observer accepted it');
  if (observer_verdict === 'reject') return score('rejected', 'the observer rejected it');
  if (observer_verdict === 'cycle') return score('partially_accepted', 'the observer sent it round again');
  return score('needs_human_review', 'the observer gave no verdict that is known');
};

const severityCategories: Readonly<Record<string, ScoreCategory>> = {
  info: 'accepted',
  low: 'accepted',
  medium: 'partially_accepted',
  high: 'rejected',
  critical: 'rejected',
};

/** By the severity of the finding; older rows carry markers instead. */
const audit: Rule = ({ metadata = {}, success_markers = [], failure_markers = [] }) => {
  const severity = typeof metadata.severity === 'string' ? metadata.severity.trim().toLowerCase() : undefined;
  const category = severity === undefined ? undefined : severityCategories[severity];
  if (category !== undefined) return score(category, `the finding's severity is ${severity}`);
  const legacy = (prefix: string) => (marker: string) => marker === prefix || marker.startsWith(`${prefix}_`);
  if (failure_markers.some(legacy('block')) || failure_markers.some(legacy('fail')))
    return score('rejected', 'an older marker says that it was blocked');
  if (failure_markers.some(legacy('request_changes')) || failure_markers.some(legacy('warn')))
    return score('partially_accepted', 'an older marker asks for changes');
  if (success_markers.some(legacy('approved')) || success_markers.some(legacy('pass')))
    return score('accepted', 'an older marker approves it');
  return score('needs_human_review', 'neither a severity nor a marker that is known');
};

/** What failed weighs more than what was said: a rejection, then a failure, then the verdict. */
const contractAnalysis: Rule = ({ observer_verdict, failure_markers = [] }) => {
  const failures = failure_markers.map((marker) => `failed: ${marker}`);
  if (observer_verdict === 'reject') return score('rejected', 'the observer rejected it', ...failures);
  if (failures[0] !== undefined) return score('rejected', failures[0], ...failures.slice(1));
  if (observer_verdict === 'accept') return score('accepted', 'the observer accepted it, and nothing failed');
  if (observer_verdict === 'cycle') return score('partially_accepted', 'the observer sent it round again');
  return score('needs_human_review', 'no verdict, and nothing that failed');
};

const autoApplied: Rule = ({ success_markers = [], failure_markers = [] }) => {
  const reverted = failure_markers.find((marker) => marker.endsWith('_reverted'));
  if (reverted !== undefined) return score('rejected', `it was taken back: ${reverted}`);
  if (success_markers.includes('committed')) return score('accepted', 'it was committed');
  return score('needs_human_review', 'neither committed nor taken back');
};

/** A gap that was signalled weighs more than events that went well. */
const outcome: Rule = ({ success_markers = [], validation_results = {} }) => {
  const gaps = validation_results.gap_signals;
  if (typeof gaps === 'number' && gaps > 0) return score('partially_accepted', `${gaps} gaps were signalled`);
  if (success_markers.includes('all_events_ok')) return score('accepted', 'all events went well');
  return score('needs_human_review', 'neither all events well nor a gap signalled');
};

const modeExperiment: Rule = ({ text = '', latency_ms }) => {
  if (text.trim() === '') return score('rejected', 'the model answered nothing');
  if (latency_ms !== undefined && latency_ms > latencyMsMax)
    return score('partially_accepted', `the answer took ${latency_ms} ms, more than ${latencyMsMax}`);
  return score('needs_human_review', 'there is an answer, and nobody judged it');
};

const extraction: Rule = () => score('needs_human_review', 'drawn out of other texts: nobody judged it');

/** A person chose: that is a verdict. A low score says that it was the best of a bad lot. */
const chosen: Rule = ({ success_markers = [], failure_markers = [] }) => {
  if (failure_markers.includes('chosen_not_found'))
    return score('partially_accepted', 'a person chose an answer that the search had not found');
  if (failure_markers.includes('chosen_with_a_low_score'))
    return score('partially_accepted', 'a person chose it, with a low score');
  if (success_markers.length > 0) return score('accepted', 'a person chose it');
  return score('needs_human_review', 'it is not told how good the choice was');
};

const retracted: Rule = () => score('rejected', 'a person took the choice back');

const observed: Rule = ({ failure_markers = [] }) =>
  failure_markers.length > 0
    ? score('rejected', 'it was reported as failed')
    : score('needs_human_review', 'reported, and nobody judged it');

export const rules: Readonly<Record<EvidenceStem, Rule>> = {
  scrum_reviews: scrumReview,
  observer_reviews: observerReview,
  audits: audit,
  contract_analyses: contractAnalysis,
  auto_apply: autoApplied,
  outcomes: outcome,
  mode_experiments: modeExperiment,
  distilled_facts: extraction,
  distilled_procedures: extraction,
  distilled_config_hints: extraction,
  audit_facts: extraction,
  observer_escalations: extraction,
  playbook_records: chosen,
  playbook_retractions: retracted,
  search_choices: chosen,
  observer_events: observed,
};

/** For a stem that no rule knows. */
export const unknownSource: Rule = () => score('needs_human_review', 'no rule knows this source');
