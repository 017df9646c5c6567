import type { EvidenceRecord } from '../../../schemas/distillation/evidence-record.ts';
import type { SourceRow } from './row-fields.ts';

/**
 * What a transform makes of one row: the fields of the record beside `schema_version` and `provenance`, some of them
 * possibly not there, or a sentence that says why it makes none. The record's schema decides in the end.
 */
export type Transformed = EvidenceFields | { readonly refused: string };

type Optional<Value> = { readonly [Key in keyof Value]?: Value[Key] | undefined };
export type EvidenceFields = Optional<Omit<EvidenceRecord, 'schema_version' | 'provenance'>>;

export interface TransformContext {
  /** Counted from 0 within its source: it makes an id where a source knows a stream's id only. */
  readonly rowIndex: number;
  /** When the row was taken in, ISO 8601; never a clock's. */
  readonly recordedAt: string;
}

/** Pure: no files, no models, no clock. The same row in the same context gives the same record. */
export type Transform = (row: SourceRow, context: TransformContext) => Transformed;
