import { benchMain } from '../bench/command.ts';
import { reportsDirectory } from '../bench/project.ts';
import { type Check, type Findings, figure, type ReportTable } from '../bench/report.ts';
import { readSurroundings } from '../bench/surroundings.ts';
import { runIngestSoak, type SoakResult } from './ingest-soak.ts';

const script = 'dist/scripts/soak/ingest.js';
const mebibyte = 1024 * 1024;
/** A process may grow by less than this behind the mark. */
const growthBarBytes = 64 * mebibyte;
const deadlineMs = 3_600_000;
/** nats-server lets go of what it cached within seconds, but collects it at the latest every two minutes, as Go has it. */
const restMs = 150_000;
/** Its memory is the index. */
const holdsIndex = 'index';
/** Samples in the report. */
const samplesKept = 200;
const inMebibytes = (bytes: number) => (bytes / mebibyte).toFixed(1);

await benchMain({
  name: 'soak:ingest',
  script,
  summary:
    'Lines without end through the gateway: memory of every process, what is lost, where it ends, and the rates.',
  reports: reportsDirectory('soak'),
  flags: {
    lines: { default: '200000', description: 'NDJSON lines, in one stream.' },
    ids: { default: '20000', description: 'Documents that they speak of.' },
    texts: { default: '5000', description: 'Different texts that they say.' },
    mark: { default: '20000', description: 'Memory is compared with what it was at this line.' },
    backlog: {
      default: '5000',
      description: 'Events that may wait for the workers (LAKEHOUSE_BACKLOG_MAX): all are at about the same line.',
    },
    'pause-ms': { default: '60000', description: 'The embed worker stands still so long, in the second run.' },
    seed: { default: '1', description: 'Of the lines.' },
  },
  async run({ count, note, argv }) {
    const seed = count('seed', 0, 2 ** 31);
    const settings = {
      lines: count('lines', 1_000, 10_000_000),
      ids: count('ids', 1, 1_000_000),
      texts: count('texts', 1, 50_000),
      markLine: count('mark', 1, 10_000_000),
      backlogMax: count('backlog', 1, 10_000_000),
    };
    const pauseMs = count('pause-ms', 1, 3_600_000);
    const surroundings = readSurroundings(script, argv, 'unknown');
    const run = (pauseEmbedMs: number) => runIngestSoak({ ...settings, seed, pauseEmbedMs, restMs, deadlineMs, note });
    note('the first run: everything works');
    const steady = await run(0);
    note('the second run: the embed worker stands still in between');
    const paused = await run(pauseMs);
    const findings: Findings = {
      benchmark: 'ingest',
      method:
        `${settings.lines} NDJSON lines over ${settings.ids} ids and ${settings.texts} different texts, as one stream ` +
        'through the gateway into a whole system of processes: once undisturbed, once with the embed worker stopped ' +
        `(SIGSTOP) for ${pauseMs / 1_000} s. The gateway lets ${settings.backlogMax} events wait for the workers, so that ` +
        'every process has come to about the same line; then it holds the stream up. Growth is the largest resident memory behind the mark less that at the mark.',
      settings: { ...settings, pauseMs },
      seed,
      tables: [...tablesOf('undisturbed', steady), ...tablesOf('embed worker stopped', paused)],
      checks: [...checksOf('undisturbed', steady, settings.lines), ...checksOf('stopped', paused, settings.lines)],
      notes: [
        'The index worker is told and has no bar: its memory is the index.',
        'The texts are embedded before they are said, so that as much is said a second before the mark as behind it: what a ' +
          'process works with follows the rate, and is no growth. What it holds is told by the last column.',
        'INGEST is compared byte for byte with the lines that were sent; the state by "verify": the live index against a ' +
          'clean fold of VECTORS, and against a fold of INGEST alone.',
        'DOCUMENTS keeps the newest state of each document: the embed worker is not given what was said over meanwhile.',
      ],
      results: { steady: summaryOf(steady), paused: summaryOf(paused) },
    };
    const versions = { ...surroundings.versions, nats_server: steady.natsServerVersion };
    return { findings, surroundings: { ...surroundings, versions } };
  },
});

function tablesOf(name: string, { memory, rates, embedPendingMax, heldBack }: SoakResult): ReportTable[] {
  return [
    {
      title: `Resident memory in MiB, ${name}`,
      columns: [
        { title: 'process' },
        { title: 'at the mark', right: true },
        { title: 'largest behind it', right: true },
        { title: 'growth', right: true },
        { title: 'at the end', right: true },
        { title: `${restMs / 1_000} s later`, right: true },
      ],
      rows: memory.map((one) => [
        one.process,
        ...[
          one.atMarkBytes,
          one.peakAfterBytes,
          one.peakAfterBytes - one.atMarkBytes,
          one.atEndBytes,
          one.atRestBytes,
        ].map(inMebibytes),
      ]),
    },
    {
      title: `Rates, ${name} (at most ${figure(embedPendingMax)} events waited for the embed worker; held back ${heldBack} times)`,
      columns: [
        { title: 'stage' },
        { title: 'messages', right: true },
        { title: 'seconds', right: true },
        { title: 'a second', right: true },
      ],
      rows: rates.map(({ stage, messages, elapsedMs }) => [
        stage,
        figure(messages),
        (elapsedMs / 1_000).toFixed(1),
        figure((messages * 1_000) / elapsedMs),
      ]),
    },
  ];
}

function checksOf(name: string, result: SoakResult, lines: number): Check[] {
  const { memory, verified } = result;
  const growth: Check[] = memory
    .filter((one) => one.process !== holdsIndex)
    .map((one) => ({
      name: `${name}: growth of ${one.process} in MiB`,
      value: (one.peakAfterBytes - one.atMarkBytes) / mebibyte,
      bar: growthBarBytes / mebibyte,
      comparison: 'at most',
    }));
  const differing = verified.ingest.differing + verified.digests.filter(({ equal }) => !equal).length;
  return [
    ...growth,
    { name: `${name}: lines accepted`, value: result.accepted, bar: lines, comparison: 'at least' },
    {
      name: `${name}: lines lost, doubled or out of order`,
      value: lostOf(result, lines),
      bar: 0,
      comparison: 'at most',
    },
    { name: `${name}: documents or digests that differ`, value: differing, bar: 0, comparison: 'at most' },
    {
      name: `${name}: documents compared`,
      value: verified.ingest.documents,
      bar: 1,
      comparison: 'at least',
      kind: 'condition',
    },
  ];
}

/** 0 where the log is what was sent; where it has as many lines and is not, at least one is another. */
function lostOf({ logIsWhatWasSent, logMessages }: SoakResult, lines: number): number {
  return logIsWhatWasSent ? 0 : Math.max(1, Math.abs(lines - logMessages));
}

/** All of it, with samples thinned out. */
function summaryOf({ samples, ...result }: SoakResult): object {
  const every = Math.max(1, Math.ceil(samples.length / samplesKept));
  return { ...result, samples: samples.filter((_, index) => index % every === 0) };
}
