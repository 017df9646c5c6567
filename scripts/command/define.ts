import { type ArgsDef, type CommandContext, defineCommand, type ParsedArgs, renderUsage, runCommand } from 'citty';
import { type ExitCode, exitCodeMeanings, exitCodes } from '../exit-codes.ts';
import { checkArguments } from './arguments.ts';
import { createOutput, type Output } from './output.ts';

export interface RunContext<Arguments extends ArgsDef> {
  readonly args: ParsedArgs<Arguments>;
  /** Every value of a flag that may be repeated, in the order given; a comma separates too. */
  readonly every: (flag: keyof Arguments & string) => string[];
  readonly output: Output;
  /** As they were given. */
  readonly rawArguments: readonly string[];
}

export interface CommandDeclaration<Arguments extends ArgsDef> {
  /** One sentence for the list of commands. */
  readonly summary: string;
  /** Each a command line without `lakehouse` in front. */
  readonly examples: readonly [string, ...string[]];
  readonly args: Arguments;
  run(context: RunContext<Arguments>): Promise<ExitCode>;
}

/** A command as the table of commands holds it. */
export interface Command {
  readonly summary: string;
  readonly help: (name: string) => Promise<string>;
  /** Checks the arguments and runs. Throws what the command throws, and `CommandError` for arguments that do not fit. */
  readonly run: (name: string, rawArguments: readonly string[]) => Promise<ExitCode>;
}

const commonArguments = {
  json: { type: 'boolean', description: 'One JSON document on stdout; everything else goes to stderr.' },
} as const satisfies ArgsDef;

/** Declares a command: strict about its flags, with `--help`, `--json` and an exit code from the one table. */
export function command<const Arguments extends ArgsDef>(declaration: CommandDeclaration<Arguments>): Command {
  const args = { ...declaration.args, ...commonArguments };
  const run = ({ args: parsed, rawArgs }: CommandContext<typeof args>) =>
    declaration.run({
      args: parsed as unknown as ParsedArgs<Arguments>,
      every: (flag) => everyValue(rawArgs, flag),
      output: createOutput(rawArgs.includes('--json'), process.stdout, process.stderr),
      rawArguments: rawArgs,
    });
  const definition = (name: string) =>
    defineCommand({ meta: { name: `lakehouse ${name}`, description: declaration.summary }, args, run });
  return {
    summary: declaration.summary,
    help: async (name) => `${await renderUsage(definition(name))}${helpTail(declaration.examples)}`,
    run: async (name, rawArguments) => {
      checkArguments(name, rawArguments, args);
      const { result } = await runCommand(definition(name), { rawArgs: [...rawArguments] });
      return isExitCode(result) ? result : exitCodes.done;
    },
  };
}

function isExitCode(value: unknown): value is ExitCode {
  return Object.values<unknown>(exitCodes).includes(value);
}

function helpTail(examples: readonly string[]): string {
  const codes = Object.entries(exitCodeMeanings).map(([code, meaning]) => `  ${code}  ${meaning}`);
  const lines = examples.map((example) => `  npm run -s lakehouse -- ${example}`);
  return ['', 'EXAMPLES', '', ...lines, '', 'EXIT CODES', '', ...codes, ''].join('\n');
}

function everyValue(rawArguments: readonly string[], flag: string): string[] {
  const values = rawArguments.flatMap((argument, at) => {
    if (argument === `--${flag}`) return [rawArguments[at + 1] ?? ''];
    return argument.startsWith(`--${flag}=`) ? [argument.slice(flag.length + 3)] : [];
  });
  return values.flatMap((value) => value.split(',')).filter((value) => value !== '');
}
