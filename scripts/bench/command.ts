import { type ParseArgsConfig, parseArgs } from 'node:util';
import { numberOf } from '../command/arguments.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { explain } from '../command/explain.ts';
import { createOutput, type Output } from '../command/output.ts';
import { type ExitCode, exitCodeMeanings, exitCodes } from '../exit-codes.ts';
import { type BenchReport, createReport, type Findings, reportText, type Verdict, writeReport } from './report.ts';
import type { Surroundings } from './surroundings.ts';

export interface BenchFlag {
  /** Absent: nothing unless given. */
  readonly default?: string;
  readonly description: string;
}
type Flags = Readonly<Record<string, BenchFlag>>;

export interface BenchContext<Names extends string> {
  /** The text of a flag, undefined where it was not given and has no default. */
  readonly text: (name: Names) => string | undefined;
  readonly count: (name: Names, min: number, max: number) => number;
  readonly number: (name: Names, min: number, max: number) => number;
  readonly counts: (name: Names, min: number, max: number) => number[];
  /** Tells of the work under way, on stderr. */
  readonly note: (line: string) => void;
  readonly argv: readonly string[];
}

export interface BenchDeclaration<Declared extends Flags> {
  /** As it is named where it fails. */
  readonly name: string;
  /** As in `node dist/scripts/bench/search.js`. */
  readonly script: string;
  readonly summary: string;
  readonly flags: Declared;
  /** Where reports are written unless `--reports` says otherwise. */
  readonly reports: string;
  run(context: BenchContext<keyof Declared & string>): Promise<{ findings: Findings; surroundings: Surroundings }>;
}

/** Runs one benchmark as the process's command: arguments, report, table, exit code. */
export async function benchMain<const Declared extends Flags>(declaration: BenchDeclaration<Declared>): Promise<void> {
  const argv = process.argv.slice(2);
  const output = createOutput(argv.includes('--json'), process.stdout, process.stderr);
  try {
    if (argv.includes('--help') || argv.includes('-h')) process.stdout.write(`${helpText(declaration)}\n`);
    else process.exitCode = await runOnce(declaration, argv, output);
  } catch (error) {
    const { exitCode, failure, extra } = explain(error);
    output.failure(declaration.name, failure, { exit_code: exitCode, ...extra });
    process.exitCode = exitCode;
  }
}

async function runOnce<Declared extends Flags>(
  declaration: BenchDeclaration<Declared>,
  argv: readonly string[],
  output: Output,
): Promise<ExitCode> {
  const values = readFlags(declaration, argv);
  const text = (name: string) => values.get(name);
  const number = (name: string, min: number, max: number) =>
    numberOf(name, text(name) ?? '', { min, max, whole: false });
  const { findings, surroundings } = await declaration.run({
    text,
    number,
    count: (name, min, max) => numberOf(name, text(name) ?? '', { min, max }),
    counts: (name, min, max) => (text(name) ?? '').split(',').map((part) => numberOf(name, part, { min, max })),
    note: output.note,
    argv,
  });
  const report = createReport(findings, surroundings, new Date().toISOString());
  const files = await writeReport(report, text('reports') ?? declaration.reports, findings.benchmark);
  output.answer(report, reportText(report));
  output.note(`written: ${files.join(', ')}`);
  return exitCodeOf(report.verdict);
}

/** A run that does not count has failed; one whose bars were not met has differed from what was promised. */
export function exitCodeOf(verdict: Verdict | BenchReport['verdict']): ExitCode {
  if (verdict === 'does not count') return exitCodes.failed;
  return verdict === 'bars not met' ? exitCodes.differs : exitCodes.done;
}

function readFlags(declaration: Pick<BenchDeclaration<Flags>, 'flags'>, argv: readonly string[]): Map<string, string> {
  const options: NonNullable<ParseArgsConfig['options']> = { json: { type: 'boolean' }, reports: { type: 'string' } };
  for (const [name, flag] of Object.entries(declaration.flags))
    options[name] = { type: 'string', ...(flag.default === undefined ? {} : { default: flag.default }) };
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true });
    return new Map(
      Object.entries(values).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    );
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw usageError(error instanceof Error ? error.message : String(error), 'See --help.');
  }
}

function helpText({ summary, script, flags, reports }: BenchDeclaration<Flags>): string {
  const common: Flags = {
    reports: { default: reports, description: 'Folder in which the report is written, as JSON and Markdown.' },
    json: { description: 'The report as one JSON document on stdout; everything else goes to stderr.' },
  };
  const lines = Object.entries({ ...flags, ...common }).map(([name, flag]) => {
    const fallback = flag.default === undefined ? '' : ` (${flag.default})`;
    return `  --${name.padEnd(14)} ${flag.description}${fallback}`;
  });
  const codes = Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code}  ${meaning}`);
  return [summary, '', `USAGE  node ${script} [FLAGS]`, '', ...lines, '', 'EXIT CODES', ...codes].join('\n');
}
