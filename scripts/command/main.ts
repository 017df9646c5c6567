import { type ExitCode, exitCodeMeanings, exitCodes } from '../exit-codes.ts';
import type { Command } from './define.ts';
import { usageError } from './errors.ts';
import { explain } from './explain.ts';
import { createOutput, type Sink } from './output.ts';
import { nearest } from './suggest.ts';
import { textTable } from './table.ts';

export interface MainOptions {
  /** Without the program and the script. */
  readonly argv: readonly string[];
  readonly commands: Readonly<Record<string, () => Promise<{ readonly default: Command }>>>;
  readonly version: string;
  readonly stdout: Sink;
  readonly stderr: Sink;
}

const helpWords: readonly string[] = ['--help', '-h', 'help'];
const versionWords: readonly string[] = ['--version', '-v', 'version'];

/** Runs one command line. Every error ends here: told to people, and as an exit code. */
export async function runMain(options: MainOptions): Promise<ExitCode> {
  const { argv, commands, stdout } = options;
  const [name, ...rawArguments] = argv;
  const output = createOutput(argv.includes('--json'), stdout, options.stderr);
  try {
    if (name === undefined || helpWords.includes(name)) {
      const asked = commands[rawArguments[0] ?? ''];
      const help =
        asked === undefined ? overview(commands, options.version) : (await asked()).default.help(argv[1] ?? '');
      stdout.write(`${await help}\n`);
      return name === undefined ? exitCodes.usage : exitCodes.done;
    }
    if (versionWords.includes(name)) {
      stdout.write(`${options.version}\n`);
      return exitCodes.done;
    }
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (load === undefined) throw unknownCommand(name, Object.keys(commands));
    const { default: command } = await load();
    if (!asksForHelp(rawArguments)) return await command.run(name, rawArguments);
    stdout.write(`${await command.help(name)}\n`);
    return exitCodes.done;
  } catch (error) {
    const { exitCode, failure, extra } = explain(error);
    output.failure(name ?? '', failure, { exit_code: exitCode, ...extra });
    return exitCode;
  }
}

/** `--help` anywhere but behind `--`. */
function asksForHelp(rawArguments: readonly string[]): boolean {
  const end = rawArguments.indexOf('--');
  const flags = end < 0 ? rawArguments : rawArguments.slice(0, end);
  return flags.includes('--help') || flags.includes('-h');
}

function unknownCommand(name: string, names: readonly string[]): Error {
  const meant = nearest(name, names);
  const suggestion = meant === undefined ? '' : ` Did you mean "${meant}"?`;
  return usageError(`there is no such command.${suggestion}`, 'See "lakehouse --help" for all commands.');
}

async function overview(commands: MainOptions['commands'], version: string): Promise<string> {
  const rows = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => [`  ${name}`, (await load()).default.summary]),
  );
  const codes = Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code}  ${meaning}`);
  return [
    `lakehouse ${version}: a search pipeline that learns from what people chose`,
    '',
    'USAGE  lakehouse COMMAND [FLAGS]     lakehouse COMMAND --help     lakehouse --version',
    '',
    textTable([{ title: 'COMMAND' }, { title: 'WHAT IT DOES' }], rows),
    '',
    'Every command takes --json (one JSON document on stdout) and ends with one of these exit codes:',
    ...codes,
  ].join('\n');
}
