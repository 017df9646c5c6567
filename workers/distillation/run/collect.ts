import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { EvidenceRecord, EvidenceSkip } from '../../../schemas/distillation/evidence-record.ts';
import { makeEvidence, type SourceLine } from '../evidence/make-evidence.ts';
import type { EvidenceStem } from '../evidence/sources.ts';
import { createDigestTable, type DigestTable } from '../files/digest-table.ts';
import { appendLines, type LineWriter, readRows } from '../files/json-lines.ts';
import { jsonlFiles, layout, partitionOf } from '../files/layout.ts';
import { emptyStats, progressEveryRows, type StageContext, type StageOutcome } from './stage.ts';

/**
 * Source lines become evidence, `evidence/YYYY/MM/DD/<stem>.jsonl`. A row that is there already, of this day or another,
 * is not written again; what becomes no evidence is written to the skips, once. The counts are of what the lines are,
 * not of what was written this time: a second run over the same lines counts the same.
 */
export async function collectStage(
  lines: AsyncIterable<SourceLine> | Iterable<SourceLine>,
  context: StageContext,
): Promise<StageOutcome> {
  const { root, recordedAt } = context;
  const stats = emptyStats();
  const known = await knownSignatures(root);
  const writers = openWriters(root);
  const errorClasses = new Set<string>();
  const read = createHash('sha256');
  try {
    for await (const line of lines) {
      stats.records_in++;
      read.update(`${line.stem}\0${line.lineOffset}\0${line.text}\n`, 'utf8');
      if (stats.records_in % progressEveryRows === 0) context.progress('collect', stats.records_in);
      const made = makeEvidence(line, recordedAt);
      if ('record' in made) {
        stats.records_out++;
        stats.accepted++;
        await writeOnce(known, evidenceKey(line.stem, made.record), made.record, () =>
          writers.of(`${layout.evidence}/${partitionOf(recordedAt)}/${line.stem}.jsonl`),
        );
      } else {
        stats.skipped++;
        errorClasses.add(made.skip.reason);
        await writeOnce(known, skipKey(made.skip), made.skip, () => writers.of(layout.skips));
      }
    }
  } finally {
    await writers.close();
  }
  const errors = stats.skipped === 0 ? [] : [`${stats.skipped} rows became no evidence: see ${layout.skips}`];
  const outputs = [...(await jsonlFiles(root, layout.evidence)), layout.skips];
  const inputs = [{ path: 'stream:EVIDENCE', sha256: read.digest('hex'), records: stats.records_in }];
  return { inputs, outputs, stats, parameters: {}, errors, warnings: [], errorClasses: [...errorClasses] };
}

async function writeOnce(
  known: DigestTable,
  key: string,
  value: unknown,
  writer: () => Promise<LineWriter>,
): Promise<void> {
  if (!known.put(key).fresh) return;
  await (await writer()).append(value);
}

/** What was written before this run, on any day. */
async function knownSignatures(root: string): Promise<DigestTable> {
  const known = createDigestTable();
  for (const path of await jsonlFiles(root, layout.evidence)) {
    const stem = path.slice(path.lastIndexOf('/') + 1, -'.jsonl'.length) as EvidenceStem;
    for await (const { row } of readRows<EvidenceRecord>(join(root, path))) known.put(evidenceKey(stem, row));
  }
  for await (const { row } of readRows<EvidenceSkip>(join(root, layout.skips))) known.put(skipKey(row));
  return known;
}

function evidenceKey(stem: EvidenceStem, { provenance }: Pick<EvidenceRecord, 'provenance'>): string {
  return `${stem} ${provenance.sig_hash}`;
}

/** Two lines that are no evidence may be equal, and stand in two places: each is told. */
function skipKey({ provenance }: Pick<EvidenceSkip, 'provenance'>): string {
  return `skip ${provenance.source_file} ${provenance.line_offset} ${provenance.sig_hash}`;
}

/** Files that are appended to, each opened once it is needed. */
export function openWriters(root: string): { of(path: string): Promise<LineWriter>; close(): Promise<void> } {
  const writers = new Map<string, LineWriter>();
  return {
    of: async (path) => {
      const open = writers.get(path);
      if (open !== undefined) return open;
      const writer = await appendLines(join(root, path));
      writers.set(path, writer);
      return writer;
    },
    close: async () => {
      for (const writer of writers.values()) await writer.close();
    },
  };
}
