import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { below, chance, createRandom, pick, type Random } from '../random.ts';

export interface EvidenceRowsOptions {
  readonly rows: number;
  readonly seed: number;
}

type Row = Readonly<Record<string, unknown>>;
type MakeRow = (at: number, random: Random) => Row;

const begunMs = Date.parse('2026-04-27T05:00:00.000Z');
const time = (at: number) => new Date(begunMs + at * 1_000).toISOString();
const words =
  'verify check ensure forklift operator shift certificate gateway index snapshot manifest limit batch query corpus role distance playbook permit contractor review replay stream'.split(
    ' ',
  );
const textOf = (random: Random, sentences: number) =>
  Array.from(
    { length: sentences },
    () => `${Array.from({ length: 12 }, () => words[below(random, words.length)]).join(' ')}.`,
  ).join(' ');
const fileOf = (random: Random) => `src/part-${below(random, 5_000)}.ts`;

/** One row of each source that other systems write, with all the outcomes that a scorer tells apart. */
const makers: Readonly<Record<string, MakeRow>> = {
  scrum_reviews: (at, random) => ({
    run_id: `scrum-${at}`,
    file: fileOf(random),
    // Now and then the time is missing: such a row becomes no evidence.
    ...(chance(random, 0.998) ? { reviewed_at: time(at) } : {}),
    ...(chance(random, 0.9) ? { accepted_on_attempt: 1 + below(random, 4) } : {}),
    suggestions_preview: textOf(random, 8),
  }),
  audits: (at, random) => ({
    finding_id: `finding-${at}`,
    phase: String(below(random, 60)),
    severity: pick(random, ['info', 'low', 'medium', 'high', 'critical']),
    topic: pick(random, words),
    ts: time(at),
    evidence: textOf(random, 5),
  }),
  observer_reviews: (at, random) => ({
    run_id: `observer-${at}`,
    file: fileOf(random),
    ts: time(at),
    verdict: pick(random, ['accept', 'reject', 'cycle']),
    confidence: 0.8,
    notes: [textOf(random, 3), textOf(random, 2)],
  }),
  contract_analyses: (at, random) => ({
    permit_id: `permit-${below(random, 5_000)}`,
    run_id: `analysis-${at}`,
    contractor: `Contractor ${below(random, 100)}`,
    analyzed_at: time(at),
    observer_verdict: pick(random, ['accept', 'reject']),
    analysis: textOf(random, 6),
  }),
  auto_apply: (at, random) => ({
    run_id: `apply-${at}`,
    file: fileOf(random),
    action: pick(random, ['committed', 'build_red_reverted', 'proposed']),
    ts: time(at),
    patch: textOf(random, 6),
  }),
  outcomes: (at, random) => ({
    run_id: `outcome-${at}`,
    scenario: `scenario-${below(random, 500)}`,
    created_at: time(at),
    all_events_ok: chance(random, 0.7),
    gap_signals: below(random, 3),
    summary: textOf(random, 4),
  }),
  mode_experiments: (at, random) => ({
    run_id: `mode-${at}`,
    mode: 'codereview',
    task_class: `task-${below(random, 50)}`,
    ts: time(at),
    latency_ms: below(random, 200_000),
    response: chance(random, 0.95) ? textOf(random, 8) : '',
  }),
  distilled_facts: (at, random) => ({
    run_id: `extract-${at}`,
    source_label: 'runbook',
    extracted_at: time(at),
    text: textOf(random, 2),
  }),
};

/**
 * Writes source rows as files, `<stem>.jsonl`, the sources in turn, and never holds more than one.
 * @returns how many bytes they have
 */
export async function writeEvidenceRows(directory: string, { rows, seed }: EvidenceRowsOptions): Promise<number> {
  await mkdir(directory, { recursive: true });
  const random = createRandom(seed);
  const files = Object.entries(makers).map(([stem, make]) => ({
    make,
    stream: createWriteStream(join(directory, `${stem}.jsonl`)),
  }));
  let bytes = 0;
  for (let at = 0; at < rows; at++) {
    const file = files[at % files.length];
    if (file === undefined) throw new Error('there is no source');
    const line = `${JSON.stringify(file.make(at, random))}\n`;
    bytes += line.length;
    if (!file.stream.write(line)) await once(file.stream, 'drain');
  }
  for (const { stream } of files) {
    stream.end();
    await finished(stream);
  }
  return bytes;
}
