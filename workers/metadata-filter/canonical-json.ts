/** JSON with sorted keys; `undefined` for what has none, and for nesting deeper than the stack. */
export function canonicalJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, part: unknown) =>
      isPlainObject(part) ? Object.fromEntries(Object.entries(part).sort(byKey)) : part,
    );
  } catch {
    return undefined;
  }
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parsed JSON scalars are equal exactly when their canonical JSON is: comparing them needs no text. */
export function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

function byKey([left]: [string, unknown], [right]: [string, unknown]): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
