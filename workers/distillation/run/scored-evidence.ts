import { join } from 'node:path';
import { type EvidenceRecord, evidenceRecordSchema } from '../../../schemas/distillation/evidence-record.ts';
import { type ScoreCategory, type ScoredRun, scoreCategories } from '../../../schemas/distillation/scored-run.ts';
import type { ScoredEvidence } from '../exports/quarantine.ts';
import { createDigestTable, createNumberColumn } from '../files/digest-table.ts';
import { type FileLine, openLines, readRows } from '../files/json-lines.ts';
import { jsonlFiles, layout } from '../files/layout.ts';
import { evidencePathOf } from './score.ts';

/** Where a line stands in its file. */
export type Place = Pick<FileLine, 'offset' | 'length'>;

/** Where a scored run and its evidence stand, for reading them again. */
export interface ScoredPlace {
  readonly path: string;
  readonly scored: Place;
  readonly evidence: Place | undefined;
  /** Undefined where it is none of the four. */
  readonly category: ScoreCategory | undefined;
  /** Rows of one task have one number; they count from 0 in the order in which tasks were first scored. */
  readonly task: number;
}

/**
 * Where every scored run stands, the newest score of each row, in the order of files and lines. Some 120 bytes of memory
 * a row while its file is read, some 30 a task, and no text.
 */
export async function* scoredPlaces(root: string): AsyncGenerator<ScoredPlace, void, void> {
  const tasks = createDigestTable();
  for (const path of await jsonlFiles(root, layout.scoredRuns)) {
    const evidence = await indexEvidence(join(root, evidencePathOf(path)));
    const [rows, places] = [createDigestTable(), createPlaces()];
    const [found, categories, taskOf] = [createPlaces(), createNumberColumn(), createNumberColumn()];
    for await (const { row: scored, offset, length } of readRows<ScoredRun>(join(root, path))) {
      const key = joinKey({ run_id: scored.evidence_run_id, provenance: scored.provenance });
      // A later line of the same row is of a later version of the rules.
      const { index } = rows.put(key);
      places.set(index, { offset, length });
      found.set(index, evidence(key));
      categories.set(index, scoreCategories.indexOf(scored.category));
      taskOf.set(index, tasks.put(String(scored.evidence_task_id)).index);
    }
    for (let row = 0; row < rows.size(); row++) {
      const scored = places.get(row);
      if (scored === undefined) throw new Error(`row ${row} of ${path} has no place`);
      const category = scoreCategories[categories.get(row)];
      yield { path, scored, evidence: found.get(row), category, task: taskOf.get(row) };
    }
  }
}

async function indexEvidence(path: string): Promise<(key: string) => Place | undefined> {
  const [rows, places] = [createDigestTable(), createPlaces()];
  for await (const { row, offset, length } of readRows<EvidenceRecord>(path))
    places.set(rows.put(joinKey(row)).index, { offset, length });
  return (key) => {
    const row = rows.get(key);
    return row === undefined ? undefined : places.get(row);
  };
}

/** Places by rows; a line is never empty, so that a length of 0 says that there is none. */
export function createPlaces(): {
  get(row: number): Place | undefined;
  set(row: number, place: Place | undefined): void;
} {
  const [offsets, lengths] = [createNumberColumn(), createNumberColumn()];
  return {
    get: (row) => {
      const length = lengths.get(row);
      return length === 0 ? undefined : { offset: offsets.get(row), length };
    },
    set: (row, place) => {
      offsets.set(row, place?.offset ?? 0);
      lengths.set(row, place?.length ?? 0);
    },
  };
}

function joinKey({ run_id, provenance }: Pick<EvidenceRecord, 'run_id' | 'provenance'>): string {
  return `${run_id}\0${provenance?.sig_hash}`;
}

/** A year of days has thousands of files, and a process may not open that many. */
const openFilesMax = 64;

/** Reads scored runs with their evidence; evidence that does not fit its schema is as if it were not there. */
export function openScoredEvidence(root: string): {
  read(place: Pick<ScoredPlace, 'path' | 'scored' | 'evidence'>): Promise<ScoredEvidence>;
  close(): Promise<void>;
} {
  const files = new Map<string, Awaited<ReturnType<typeof openLines>>>();
  const read = async (path: string, line: Place) => {
    const file = files.get(path) ?? (await openLines(join(root, path)));
    files.set(path, file);
    const [oldest] = files;
    if (files.size > openFilesMax && oldest !== undefined) {
      files.delete(oldest[0]);
      await oldest[1].close();
    }
    return JSON.parse(await file.read(line));
  };
  return {
    read: async (place) => {
      const scored: ScoredRun = await read(place.path, place.scored);
      if (place.evidence === undefined) return { scored, evidence: undefined };
      const evidence = evidenceRecordSchema.safeParse(await read(evidencePathOf(place.path), place.evidence));
      return { scored, evidence: evidence.data };
    },
    close: async () => {
      for (const file of files.values()) await file.close();
    },
  };
}
