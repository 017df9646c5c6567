import { join } from 'node:path';
import { type EvidenceRecord, evidenceRecordSchema } from '../../../schemas/distillation/evidence-record.ts';
import type { ScoredRun } from '../../../schemas/distillation/scored-run.ts';
import type { ScoredEvidence } from '../exports/quarantine.ts';
import { type FileLine, openLines, readLines } from '../files/json-lines.ts';
import { jsonlFiles, layout } from '../files/layout.ts';
import { evidencePathOf } from './score.ts';

/** Where a scored run and its evidence stand, for reading them again. */
export interface ScoredPlace {
  readonly path: string;
  readonly scored: Pick<FileLine, 'offset' | 'length'>;
  readonly evidence: Pick<FileLine, 'offset' | 'length'> | undefined;
  readonly category: string;
  readonly taskId: string;
}

/**
 * Where every scored run stands, the newest score of each row, in the order of files and lines. Some 300 bytes of memory
 * a row, and no text.
 */
export async function* scoredPlaces(root: string): AsyncGenerator<ScoredPlace, void, void> {
  for (const path of await jsonlFiles(root, layout.scoredRuns)) {
    const evidence = new Map<string, Pick<FileLine, 'offset' | 'length'>>();
    for await (const { text, offset, length } of readLines(join(root, evidencePathOf(path))))
      evidence.set(joinKey(JSON.parse(text)), { offset, length });
    const places = new Map<string, ScoredPlace>();
    for await (const { text, offset, length } of readLines(join(root, path))) {
      const scored: ScoredRun = JSON.parse(text);
      const key = joinKey({ run_id: scored.evidence_run_id, provenance: scored.provenance });
      // A later line of the same row is of a later version of the rules.
      places.set(key, {
        path,
        scored: { offset, length },
        evidence: evidence.get(key),
        category: scored.category,
        taskId: scored.evidence_task_id,
      });
    }
    yield* places.values();
  }
}

function joinKey({ run_id, provenance }: Pick<EvidenceRecord, 'run_id' | 'provenance'>): string {
  return `${run_id}\0${provenance?.sig_hash}`;
}

/** Reads scored runs with their evidence; evidence that does not fit its schema is as if it were not there. */
export function openScoredEvidence(root: string): {
  read(place: ScoredPlace): Promise<ScoredEvidence>;
  close(): Promise<void>;
} {
  const files = new Map<string, Awaited<ReturnType<typeof openLines>>>();
  const read = async (path: string, line: Pick<FileLine, 'offset' | 'length'>) => {
    const file = files.get(path) ?? (await openLines(join(root, path)));
    files.set(path, file);
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
