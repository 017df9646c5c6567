import type { Transform } from './transform.ts';
import { auditFacts, distilled, observerEscalations } from './transforms/extraction.ts';
import { observerEvents, playbookRecords, playbookRetractions, searchChoices } from './transforms/own-life.ts';
import { autoApply, modeExperiments, outcomes } from './transforms/telemetry.ts';
import { audits, contractAnalyses, observerReviews, scrumReviews } from './transforms/verdicts.ts';

/**
 * `1` and `2` are files that other systems wrote, `data/_kb/<stem>.jsonl`; `own` is what this system saw of itself.
 */
export interface EvidenceSource {
  readonly tier: 1 | 2 | 'own';
  readonly transform: Transform;
}

export const evidenceSources = {
  distilled_facts: { tier: 1, transform: distilled },
  distilled_procedures: { tier: 1, transform: distilled },
  distilled_config_hints: { tier: 1, transform: distilled },
  contract_analyses: { tier: 1, transform: contractAnalyses },
  mode_experiments: { tier: 1, transform: modeExperiments },
  scrum_reviews: { tier: 1, transform: scrumReviews },
  observer_escalations: { tier: 1, transform: observerEscalations },
  audit_facts: { tier: 1, transform: auditFacts },
  auto_apply: { tier: 2, transform: autoApply },
  observer_reviews: { tier: 2, transform: observerReviews },
  audits: { tier: 2, transform: audits },
  outcomes: { tier: 2, transform: outcomes },
  playbook_records: { tier: 'own', transform: playbookRecords },
  playbook_retractions: { tier: 'own', transform: playbookRetractions },
  search_choices: { tier: 'own', transform: searchChoices },
  observer_events: { tier: 'own', transform: observerEvents },
} as const satisfies Readonly<Record<string, EvidenceSource>>;

export type EvidenceStem = keyof typeof evidenceSources;
export const evidenceStems = Object.keys(evidenceSources) as EvidenceStem[];

export function isEvidenceStem(text: string): text is EvidenceStem {
  return Object.hasOwn(evidenceSources, text);
}

/** The file that a stem's rows come from, as every row's provenance names it, wherever the data directory lies. */
export function sourceFileOf(stem: EvidenceStem): string {
  return `data/_kb/${stem}.jsonl`;
}

/** The stem in a provenance's `source_file`. */
export function stemOf(sourceFile: string): string {
  return sourceFile.replace(/^data\/_kb\//, '').replace(/\.jsonl$/, '');
}
