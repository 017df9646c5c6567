import { z } from 'zod';

const pinoLine = z.object({
  level: z.number(),
  time: z.number().optional(),
  msg: z.string().optional(),
  err: z.object({ message: z.string() }).optional(),
});

const levelNames: readonly (readonly [level: number, name: string])[] = [
  [60, 'FATAL'],
  [50, 'ERROR'],
  [40, 'WARN'],
  [30, 'INFO'],
  [20, 'DEBUG'],
  [0, 'TRACE'],
];

/**
 * One line of a process for the merged view: `12:34:56.789 index    WARN  message` for pino's JSON lines (UTC), the line
 * as it is behind the name for all others. Control characters are shown, not obeyed: a log must not steer a terminal.
 */
export function renderLogLine(name: string, nameWidth: number, line: string): string {
  const label = name.padEnd(nameWidth);
  const parsed = parsePinoLine(line);
  if (parsed === undefined) return visible(`${' '.repeat(12)} ${label} ${line}`);
  const { level, time, msg, err } = parsed;
  const levelName = levelNames.find(([from]) => level >= from)?.[1] ?? 'TRACE';
  const words = [msg, err?.message === msg ? undefined : err?.message].filter(
    (word) => word !== undefined && word !== '',
  );
  return visible(`${clock(time)} ${label} ${levelName.padEnd(5)} ${words.join(': ')}`);
}

function parsePinoLine(line: string): z.infer<typeof pinoLine> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return pinoLine.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function clock(time: number | undefined): string {
  const date = new Date(time ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? ' '.repeat(12) : date.toISOString().slice(11, 23);
}

function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
