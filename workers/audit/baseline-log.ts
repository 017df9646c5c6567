import { type AuditBaseline, auditBaselineSchema } from '../../schemas/events/lines.ts';
import { issueSentence } from '../../schemas/problems.ts';
import { readLines } from '../distillation/files/json-lines.ts';

/** Below the data directory. */
export const baselineLogPath = '_kb/audit_baselines.jsonl';

/** A line of the log that is no baseline: an older one in its place would be compared without a word. */
export class BaselineLogError extends Error {
  readonly line: number;
  constructor(path: string, line: number, why: string) {
    super(`${path}, line ${line}: ${why}`);
    this.name = 'BaselineLogError';
    this.line = line;
  }
}

/**
 * The last baseline of a log, whichever runtime wrote it; undefined where there is none, or no log. Blank lines are passed
 * over.
 * @throws BaselineLogError where the last line is no baseline
 */
export async function loadLastBaseline(path: string): Promise<AuditBaseline | undefined> {
  let last: { text: string; line: number } | undefined;
  let line = 0;
  for await (const { text } of readLines(path)) {
    line++;
    if (text.trim() !== '') last = { text, line };
  }
  if (last === undefined) return undefined;
  return readBaseline(path, last.text, last.line);
}

/** Every baseline of a log, in order. @throws BaselineLogError at the first line that is none */
export async function loadBaselines(path: string): Promise<AuditBaseline[]> {
  const baselines: AuditBaseline[] = [];
  let line = 0;
  for await (const { text } of readLines(path)) {
    line++;
    if (text.trim() !== '') baselines.push(readBaseline(path, text, line));
  }
  return baselines;
}

function readBaseline(path: string, text: string, line: number): AuditBaseline {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BaselineLogError(path, line, 'is no JSON');
  }
  const baseline = auditBaselineSchema.safeParse(value);
  if (!baseline.success) throw new BaselineLogError(path, line, issueSentence(baseline.error));
  return baseline.data;
}
