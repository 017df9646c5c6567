import { join } from 'node:path';
import { type Exporter, sftSampleSchema } from '../../../schemas/distillation/exports.ts';
import { canonicalSha256 } from '../canonical-json.ts';
import { exportPreference, pairsOf } from '../exports/preference.ts';
import {
  type Exported,
  emptyCounts,
  type QuarantineCounts,
  quarantineRow,
  type ScoredEvidence,
} from '../exports/quarantine.ts';
import { exportRag } from '../exports/rag.ts';
import { assertTeachable, exportSft } from '../exports/sft.ts';
import { appendLines, readLines } from '../files/json-lines.ts';
import { jsonlFiles, layout } from '../files/layout.ts';
import { evidencePathOf } from './score.ts';
import { openScoredEvidence, type ScoredPlace, scoredPlaces } from './scored-evidence.ts';
import { emptyStats, progressEveryRows, type StageContext, type StageOutcome } from './stage.ts';

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
  close(): Promise<void>;
}

async function openSink(exporter: Exporter, { root, recordedAt }: StageContext): Promise<Sink> {
  const [samplesPath, refusedPath] = [join(root, layout.exports[exporter]), join(root, layout.quarantine(exporter))];
  const ids = new Set<string>();
  for await (const { text } of readLines(samplesPath)) ids.add(JSON.parse(text).id);
  const refused = new Set<string>();
  for await (const { text } of readLines(refusedPath)) refused.add(refusalKey(JSON.parse(text)));
  const [samples, quarantine] = [await appendLines(samplesPath), await appendLines(refusedPath)];
  const counts = emptyCounts();
  const seen = new Set<string>();
  return {
    counts,
    exported: () => seen.size,
    take: async (one, source, provenance) => {
      const result = 'sample' in one && seen.has(one.sample.id) ? duplicateOf(one.sample.id) : one;
      if ('sample' in result) {
        seen.add(result.sample.id);
        if (ids.has(result.sample.id)) return;
        ids.add(result.sample.id);
        return samples.append(result.sample);
      }
      counts[result.refusal.reason]++;
      counts.total++;
      const row = quarantineRow(exporter, result.refusal, source, provenance, recordedAt);
      const key = refusalKey(row);
      if (refused.has(key)) return;
      refused.add(key);
      await quarantine.append(row);
    },
    close: async () => {
      await samples.close();
      await quarantine.close();
    },
  };
}

function duplicateOf(id: string) {
  return { refusal: { reason: 'duplicate_id', errors: [`a row with the id ${id} came before`] } } as const;
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

/** Reads back what was written and asks the firewall once more. */
async function contamination(path: string): Promise<string[]> {
  const errors: string[] = [];
  let line = 0;
  for await (const { text } of readLines(path)) {
    line++;
    const sample = sftSampleSchema.safeParse(JSON.parse(text));
    if (!sample.success) errors.push(`line ${line} is no training sample: ${sample.error.issues[0]?.message}`);
    else assertTeachable(sample.data.quality_score);
  }
  return errors;
}

/** Pairs: task by task, in the order in which tasks were first scored. */
export async function exportPairsStage(context: StageContext): Promise<StageOutcome> {
  const stats = emptyStats();
  const tasks = new Map<string, ScoredPlace[]>();
  for await (const place of scoredPlaces(context.root)) {
    stats.records_in++;
    if (place.category === 'needs_human_review') continue;
    const task = tasks.get(place.taskId);
    if (task === undefined) tasks.set(place.taskId, [place]);
    else task.push(place);
  }
  const sink = await openSink('preference', context);
  const source = openScoredEvidence(context.root);
  let insufficient = 0;
  try {
    for (const [index, places] of [...tasks.values()].entries()) {
      if (index % progressEveryRows === 0) context.progress('export-preference', index);
      const placed = pairsOf(places.map((place) => ({ place, scored: { category: place.category } })));
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
  const warnings = insufficient === 0 ? [] : [`${insufficient} tasks have nothing to compare`];
  return { ...(await outcomeOf('preference', stats, sink, context)), warnings };
}

async function outcomeOf(
  exporter: Exporter,
  stats: ReturnType<typeof emptyStats>,
  { counts, exported }: Sink,
  { root }: StageContext,
): Promise<StageOutcome> {
  const scored = await jsonlFiles(root, layout.scoredRuns);
  return {
    inputs: [...scored, ...scored.map(evidencePathOf)],
    outputs: [layout.exports[exporter], layout.quarantine(exporter)],
    stats: { ...stats, records_out: exported(), accepted: exported(), quarantined: counts.total },
    parameters: {},
    errors: [],
    warnings: [],
    errorClasses: Object.entries(counts)
      .filter(([name, count]) => name !== 'total' && count > 0)
      .map(([name]) => name),
  };
}
