import type { EvidenceRecord } from '../../../schemas/distillation/evidence-record.ts';
import { isEvidenceStem, stemOf } from '../evidence/sources.ts';

/**
 * What a row's text answers, as an instruction. A source without a template of its own has the last one. Nothing is made
 * up: a detail that the row does not have is not spoken of.
 */
export function instructionOf(record: EvidenceRecord): string {
  const { metadata = {}, task_id, source_files: [file] = [] } = record;
  const subject = file ?? task_id;
  const stem = stemOf(record.provenance.source_file);
  switch (isEvidenceStem(stem) ? stem : undefined) {
    case 'scrum_reviews':
      return `Review the file ${subject} and say what should change.`;
    case 'mode_experiments':
      return `Carry out this task: ${textOf(metadata.task_class) ?? task_id}.`;
    case 'auto_apply':
      return `Propose a change to ${subject} that can be committed as it is.`;
    case 'audits':
      return `Audit phase ${task_id.replace(/^phase:/, '')} and report what you find${about(metadata.topic)}.`;
    case 'observer_reviews':
      return `Judge the latest work on ${subject.replace(/^observer_review:/, '')} and give your reasons.`;
    case 'contract_analyses': {
      const contractor = textOf(metadata.contractor);
      const permit = task_id.replace(/^permit:/, '');
      return `Analyse permit ${permit}${contractor === undefined ? '' : ` of ${contractor}`} for staffing.`;
    }
    case 'outcomes':
      return `Carry out the scenario ${textOf(metadata.scenario) ?? task_id} and report how it ended.`;
    case 'playbook_records':
    case 'search_choices':
      return textOf(metadata.query_text) ?? `Answer ${task_id}.`;
    default:
      return `Carry out the task ${task_id}.`;
  }
}

function about(topic: unknown): string {
  const text = textOf(topic);
  return text === undefined ? '' : ` on ${text}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
