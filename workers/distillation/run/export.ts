import { join } from 'node:path';
import { type Exporter, type QuarantineRow, sftSampleSchema } from '../../../schemas/distillation/exports.ts';
import { canonicalSha256 } from '../canonical-json.ts';
import { exportPreference, pairsOf } from '../exports/preference.ts';
import {
  type Exported,
  emptyCounts,
  type QuarantineCounts,
  quarantineRow,
  type Refusal,
  type ScoredEvidence,
} from '../exports/quarantine.ts';
import { exportRag } from '../exports/rag.ts';
import { assertTeachable, exportSft } from '../exports/sft.ts';
import { createDigestTable, createNumberColumn } from '../files/digest-table.ts';
import { appendLines, readRows } from '../files/json-lines.ts';
import { jsonlFiles, layout } from '../files/layout.ts';
import { evidencePathOf } from './score.ts';
import { openScoredEvidence, scoredPlaces } from './scored-evidence.ts';
import { emptyStats, progressEveryRows, type StageContext, type StageOutcome } from './stage.ts';
import { createTaskPlaces } from './task-places.ts';

export interface ExportOptions {
  readonly includeReview: boolean;
  readonly includePartial: boolean;
}

/** Takes what an exporter said of one row: the sample is written once, and so is what was refused. */
interface Sink {
  take(
    exported: Exported<{ readonly id: string }>,
    source: ScoredEvidence['scored'] | object,
    provenance: unknown,
  ): Promise<void>;
  readonly counts: QuarantineCounts;
  readonly exported: () => number;
  /** Rows of earlier runs that this one would not write: their score or what was asked for is another one now. */
  readonly stale: () => number;
  close(): Promise<void>;
}

async function openSink(exporter: Exporter, { root, recordedAt }: StageContext): Promise<Sink> {
  const [samplesPath, refusedPath] = [join(root, layout.exports[exporter]), join(root, layout.quarantine(exporter))];
  // What earlier runs wrote is told by reading it once more: a list of it beside the files could disagree with them.
  const [ids, refused] = [createDigestTable(), createDigestTable()];
  for await (const { row } of readRows<{ id: string }>(samplesPath)) ids.put(row.id);
  for await (const { row } of readRows<QuarantineRow>(refusedPath)) refused.put(refusalKey(row));
  const [samples, quarantine] = [await appendLines(samplesPath), await appendLines(refusedPath)];
  const counts = emptyCounts();
  // By the number of the id: 1 where this run had it.
  const seen = createNumberColumn();
  let exported = 0;
  const refuse = async (refusal: Refusal, source: object, provenance: unknown) => {
    counts[refusal.reason]++;
    counts.total++;
    const row = quarantineRow(exporter, refusal, source, provenance, recordedAt);
    if (refused.put(refusalKey(row)).fresh) await quarantine.append(row);
  };
  return {
    counts,
    exported: () => exported,
    stale: () => ids.size() - exported,
    take: async (one, source, provenance) => {
      if ('refusal' in one) return refuse(one.refusal, source, provenance);
      const { index, fresh } = ids.put(one.sample.id);
      if (seen.get(index) === 1) return refuse(duplicateOf(one.sample.id), source, provenance);
      seen.set(index, 1);
      exported++;
      if (fresh) await samples.append(one.sample);
    },
    close: async () => {
      await samples.close();
      await quarantine.close();
    },
  };
}

function duplicateOf(id: string): Refusal {
  return { reason: 'duplicate_id', errors: [`a row with the id ${id} came before`] };
}

function refusalKey({ reason, source_record }: { reason: string; source_record: unknown }): string {
  return `${reason} ${canonicalSha256(source_record)}`;
}

/** Playbooks or training samples: row by row. */
export async function exportRowsStage(
  exporter: 'rag' | 'sft',
  options: ExportOptions,
  context: StageContext,
): Promise<StageOutcome> {
  const stats = emptyStats();
  const sink = await openSink(exporter, context);
  const source = openScoredEvidence(context.root);
  const createdAt = context.recordedAt;
  try {
    for await (const place of scoredPlaces(context.root)) {
      stats.records_in++;
      if (stats.records_in % progressEveryRows === 0) context.progress(`export-${exporter}`, stats.records_in);
      const row = await source.read(place);
      const exported =
        exporter === 'rag'
          ? exportRag(row, { includeReview: options.includeReview, createdAt })
          : exportSft(row, { includePartial: options.includePartial, createdAt });
      await sink.take(exported, row.scored, row.scored.provenance);
    }
  } finally {
    await source.close();
    await sink.close();
  }
  const errors = exporter === 'sft' ? await contamination(join(context.root, layout.exports.sft)) : [];
  const parameters =
    exporter === 'rag' ? { include_review: options.includeReview } : { include_partial: options.includePartial };
  return { ...(await outcomeOf(exporter, stats, sink, context)), parameters, errors };
}

const errorsToldMax = 100;

/** Reads back what was written and asks the firewall once more; tells the first rows that should not be there. */
async function contamination(path: string): Promise<string[]> {
  const errors: string[] = [];
  let line = 0;
  for await (const { row } of readRows(path)) {
    line++;
    const sample = sftSampleSchema.safeParse(row);
    if (errors.length >= errorsToldMax) return errors;
    if (!sample.success) errors.push(`line ${line} is no training sample: ${sample.error.issues[0]?.message}`);
    else assertTeachable(sample.data.quality_score);
  }
  return errors;
}

/** Pairs: task by task, in the order in which tasks were first scored. */
export async function exportPairsStage(context: StageContext): Promise<StageOutcome> {
  const stats = emptyStats();
  const byTask = createTaskPlaces();
  for await (const place of scoredPlaces(context.root)) {
    stats.records_in++;
    if (place.category !== undefined && place.category !== 'needs_human_review') byTask.add(place);
  }
  const sink = await openSink('preference', context);
  const source = openScoredEvidence(context.root);
  let insufficient = 0;
  try {
    let asked = 0;
    for (const places of byTask.tasks()) {
      if (asked++ % progressEveryRows === 0) context.progress('export-preference', asked);
      const placed = pairsOf(places.map((place) => ({ place, scored: { category: place.category ?? '' } })));
      if (placed.length === 0) insufficient++;
      for (const pair of placed) {
        const [chosen, rejected] = [await source.read(pair.chosen.place), await source.read(pair.rejected.place)];
        const exported = exportPreference({ chosen, rejected }, context.recordedAt);
        const record = { chosen: chosen.scored, rejected: rejected.scored };
        await sink.take(exported, record, chosen.scored.provenance);
      }
    }
  } finally {
    await source.close();
    await sink.close();
  }
  const outcome = await outcomeOf('preference', stats, sink, context);
  const told = insufficient === 0 ? [] : [`${insufficient} tasks have nothing to compare`];
  return { ...outcome, warnings: [...outcome.warnings, ...told] };
}

async function outcomeOf(
  exporter: Exporter,
  stats: ReturnType<typeof emptyStats>,
  { counts, exported, stale }: Sink,
  { root }: StageContext,
): Promise<StageOutcome> {
  const scored = await jsonlFiles(root, layout.scoredRuns);
  return {
    inputs: [...scored, ...scored.map(evidencePathOf)],
    outputs: [layout.exports[exporter], layout.quarantine(exporter)],
    stats: { ...stats, records_out: exported(), accepted: exported(), quarantined: counts.total },
    parameters: {},
    errors: [],
    warnings:
      stale() === 0
        ? []
        : [
            `${stale()} rows of earlier runs would not be exported now: move ${layout.exports[exporter]} away to lose them`,
          ],
    errorClasses: Object.entries(counts)
      .filter(([name, count]) => name !== 'total' && count > 0)
      .map(([name]) => name),
  };
}
