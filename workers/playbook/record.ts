import type { EventData } from '../../schemas/catalog.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { parseRequest } from '../../schemas/requests/parse.ts';
import {
  type BulkReply,
  bulkRequestSchema,
  type RecordRequest,
  recordRequestSchema,
  recordSlips,
} from '../../schemas/requests/playbooks.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { playbookId } from '../matrix/playbook-id.ts';

export type PlaybookData = EventData<'lakehouse.playbook'>;

/** The event of a recording: the entry, under the id that query, answer and corpus give it, with its query's vector. */
export function recordedPlaybook(request: RecordRequest, space: string, vector: Float32Array): PlaybookData {
  const { corpus, ...entry } = request;
  return {
    playbook_id: playbookId(entry.query_text, entry.answer_id, entry.answer_corpus),
    corpus,
    space,
    vector: encodeVector(vector),
    entry,
  };
}

export type BulkRow =
  | { readonly index: number; readonly request: RecordRequest }
  | { readonly index: number; readonly error: string };

/** The entries of a bulk request, each by itself: its own `corpus`, else the batch's, else the default. */
export function bulkRows(body: unknown): BulkRow[] {
  const { corpus, entries } = parseRequest(bulkRequestSchema, Array.isArray(body) ? { entries: body } : body);
  return entries.map((entry, index) => {
    const defaulted =
      corpus !== undefined && typeof entry === 'object' && entry !== null ? { corpus, ...entry } : entry;
    try {
      return { index, request: parseRequest(recordRequestSchema, defaulted, recordSlips) };
    } catch (error) {
      if (error instanceof ProblemError) return { index, error: error.message };
      throw error;
    }
  });
}

/** The answer to a bulk request, rows in the order of the entries. */
export function bulkReply(results: BulkReply['results']): BulkReply {
  const ordered = [...results].sort((one, other) => one.index - other.index);
  const failed = ordered.filter((result) => 'error' in result).length;
  return { recorded: ordered.length - failed, failed, results: ordered };
}
