import type { Check } from '../fault-row.ts';

/** A check from whether it held and what was seen. */
export function check(oracle: string, held: boolean, seen: string | number): Check {
  return { oracle, held, seen: String(seen) };
}

/** As `check`, of something that may throw: then it did not hold, and what was thrown is what was seen. */
export async function attempt(
  oracle: string,
  look: () => Promise<{ readonly held: boolean; readonly seen: string | number }>,
): Promise<Check> {
  try {
    const { held, seen } = await look();
    return check(oracle, held, seen);
  } catch (error) {
    return check(oracle, false, error instanceof Error ? error.message : String(error));
  }
}
