import type { ArgsDef } from 'citty';
import { usageError } from './errors.ts';
import { nearest } from './suggest.ts';

/**
 * Refuses what the parser would let pass: unknown flags, flags without their value and words too many.
 * @throws CommandError with the flag that was probably meant
 */
export function checkArguments(commandName: string, rawArguments: readonly string[], args: ArgsDef): void {
  const help = `See "lakehouse ${commandName} --help".`;
  const flags = Object.keys(args).filter((name) => args[name]?.type !== 'positional');
  const positionals = Object.keys(args).filter((name) => args[name]?.type === 'positional');
  const words: string[] = [];
  for (let at = 0; at < rawArguments.length; at++) {
    const argument = rawArguments[at] ?? '';
    if (argument === '--') {
      words.push(...rawArguments.slice(at + 1));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      words.push(argument);
      continue;
    }
    const [written = '', value] = split(argument);
    const flag = flagName(written, args);
    if (flag === undefined) {
      const meant = nearest(written.replace(/^-+(no-)?/, ''), flags);
      const suggestion = meant === undefined ? '' : ` Did you mean --${meant}?`;
      throw usageError(`"${written}" is not a flag of it.${suggestion}`, help);
    }
    if (args[flag]?.type === 'boolean') {
      if (value !== undefined) throw usageError(`--${flag} takes no value`, help);
    } else if (value === undefined) {
      at += 1;
      const next = rawArguments[at];
      if (next === undefined || next.startsWith('--')) throw usageError(`--${flag} needs a value`, help);
    }
  }
  if (words.length > positionals.length)
    throw usageError(`"${words[positionals.length]}" is one word too many; quote what belongs together`, help);
  const missing = positionals[words.length];
  if (missing !== undefined && args[missing]?.required !== false)
    throw usageError(`${missing.toUpperCase()} is missing`, help);
  for (const flag of flags) {
    const isGiven = rawArguments.some((argument) => argument === `--${flag}` || argument.startsWith(`--${flag}=`));
    if (args[flag]?.required === true && !isGiven) throw usageError(`--${flag} is needed`, help);
  }
}

function split(argument: string): [string, string | undefined] {
  const at = argument.indexOf('=');
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

/** The declared flag that `--flag` or, of a boolean, `--no-flag` names. */
function flagName(written: string, args: ArgsDef): string | undefined {
  if (!written.startsWith('--')) return undefined;
  const name = written.slice(2);
  if (args[name] !== undefined && args[name].type !== 'positional') return name;
  const negated = name.startsWith('no-') ? name.slice(3) : '';
  return args[negated]?.type === 'boolean' ? negated : undefined;
}

export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

/**
 * The number that a flag holds; `undefined` where the flag was not given.
 * @throws CommandError where it is no number, or beyond the range
 */
export function numberFlag(flag: string, text: string | undefined, range: NumberRange): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  const fits = text.trim() !== '' && value >= range.min && value <= range.max;
  if (fits && (range.whole === false || Number.isInteger(value))) return value;
  const kind = range.whole === false ? 'a number' : 'a whole number';
  throw usageError(
    `--${flag} is ${kind} from ${range.min} to ${range.max}, not "${text}"`,
    'Give a value in that range.',
  );
}

/** As `numberFlag`, of a flag that has a default. */
export function numberOf(flag: string, text: string, range: NumberRange): number {
  return numberFlag(flag, text, range) ?? range.min;
}
