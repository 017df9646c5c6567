import { createHash } from 'node:crypto';
import {
  type EvidenceRecord,
  type EvidenceSkip,
  evidenceRecordSchema,
  evidenceSchemaVersion,
} from '../../../schemas/distillation/evidence-record.ts';
import type { Provenance } from '../../../schemas/distillation/provenance.ts';
import { issueSentences } from '../../../schemas/problems.ts';
import { canonicalSha256 } from '../canonical-json.ts';
import { withoutGaps } from './row-fields.ts';
import { type EvidenceStem, evidenceSources, sourceFileOf } from './sources.ts';
import type { Transform } from './transform.ts';

/** One line of a source. */
export interface SourceLine {
  readonly stem: EvidenceStem;
  /** Counted from 0 within its source. */
  readonly lineOffset: number;
  readonly text: string;
}

export type Evidence = { readonly record: EvidenceRecord } | { readonly skip: EvidenceSkip };

/**
 * Makes an evidence record of a source line, or says why it can not. Pure: equal lines at an equal `recordedAt` give
 * equal results, on any day.
 * @param recordedAt ISO 8601, of the run
 * @param transform another one than the stem's own, for trying one out
 */
export function makeEvidence(
  { stem, lineOffset, text }: SourceLine,
  recordedAt: string,
  transform: Transform = evidenceSources[stem].transform,
): Evidence {
  const provenanceOf = (sigHash: string): Provenance => ({
    source_file: sourceFileOf(stem),
    line_offset: lineOffset,
    sig_hash: sigHash,
    recorded_at: recordedAt,
  });
  const parsed = parseLine(text);
  // A line that is no JSON has no canonical form: its bytes are its identity.
  if ('fault' in parsed) return skipOf(parsed.fault, [parsed.message], provenanceOf(sha256(text)));
  const provenance = provenanceOf(canonicalSha256(parsed.row));
  const made = transform(parsed.row, { rowIndex: lineOffset, recordedAt });
  if ('refused' in made) return skipOf('transform_refused', [made.refused], provenance);
  const record = evidenceRecordSchema.safeParse(
    withoutGaps({ schema_version: evidenceSchemaVersion, ...made, provenance }),
  );
  if (record.success) return { record: record.data };
  return skipOf('schema_violation', issueSentences(record.error), provenance);
}

type Parsed =
  | { readonly row: Record<string, unknown> }
  | { readonly fault: 'invalid_json' | 'not_an_object'; readonly message: string };

function parseLine(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { row: value as Record<string, unknown> };
    return { fault: 'not_an_object', message: 'the line is JSON, but no object' };
  } catch (error) {
    return { fault: 'invalid_json', message: error instanceof Error ? error.message : String(error) };
  }
}

function skipOf(reason: EvidenceSkip['reason'], errors: string[], provenance: Provenance): Evidence {
  return { skip: { schema_version: 1, reason, errors, provenance } };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
