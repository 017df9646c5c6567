import type { Check } from '../fault-row.ts';
import type { ChaosStack } from '../stack.ts';
import { check } from './check.ts';

/** No process ended without being told to. */
export function checkNoCrash(stack: Pick<ChaosStack, 'all'>): Check {
  const crashed = stack.all().filter((one) => one.crashes() > 0);
  const seen = crashed.map(({ name, crashes }) => `${name} ${crashes()} times`).join(', ');
  return check('no process ended on its own', crashed.length === 0, seen === '' ? 'none did' : seen);
}

/** The middle and the longest of some durations, in whole milliseconds; nothing where there are none. */
export function spreadOf(name: string, durationsMs: readonly number[]): Record<string, number> {
  const sorted = [...durationsMs].sort((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) return {};
  return { [`${name}Ms`]: Math.round(middle), [`${name}MsMax`]: Math.round(sorted.at(-1) ?? 0) };
}
