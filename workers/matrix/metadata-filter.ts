/** Keys to what their value must be: a scalar, or a list of which one must match. JSON as it came in a request. */
export type MetadataFilter = Readonly<Record<string, unknown>>;

/** Takes a document's metadata as JSON text, `null` where it has none. */
export type MetadataPredicate = (metadataJson: string | null) => boolean;

type Condition = (value: unknown) => boolean;

const passEverything: MetadataPredicate = () => true;

/**
 * Compiles a filter into a predicate; neither compiling nor asking it throws, whatever the input (a predicate that
 * throws inside the vector index would end the process).
 *
 * - Values are equal when their canonical JSON is: 1 and 1.0 are, 1 and "1" are not, key order is nothing.
 * - A list means any of its elements; an empty list admits nothing. A list in the metadata is one value: it equals
 *   only a list that stands inside the filter's list.
 * - All keys must hold. A missing key, no metadata, or metadata that is not a JSON object is a refusal.
 * - An absent or empty filter admits everything and reads no metadata.
 */
export function compileMetadataFilter(filter: MetadataFilter | null | undefined): MetadataPredicate {
  const conditions = Object.entries(filter ?? {}).map(([key, expected]) => ({
    key,
    holds: compileCondition(expected),
  }));
  if (conditions.length === 0) return passEverything;
  return (metadataJson) => {
    const metadata = parseObject(metadataJson);
    if (metadata === undefined) return false;
    for (const { key, holds } of conditions) {
      if (!Object.hasOwn(metadata, key) || !holds(metadata[key])) return false;
    }
    return true;
  };
}

/** What one key asks for. Any further operator (ranges, say) is told from a literal here and nowhere else. */
function compileCondition(expected: unknown): Condition {
  const choices: readonly unknown[] = Array.isArray(expected) ? expected : [expected];
  const scalars = new Set(choices.filter(isScalar));
  const composites = new Set<string>();
  for (const choice of choices) {
    const text = isScalar(choice) ? undefined : canonicalJson(choice);
    if (text !== undefined) composites.add(text);
  }
  return (value) => {
    if (isScalar(value)) return scalars.has(value);
    if (composites.size === 0) return false;
    const text = canonicalJson(value);
    return text !== undefined && composites.has(text);
  };
}

/** Parsed JSON scalars are equal exactly when their canonical JSON is: comparing them needs no text. */
function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

/** JSON with sorted keys; `undefined` for what has none, and for nesting deeper than the stack. */
function canonicalJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, part: unknown) =>
      isPlainObject(part) ? Object.fromEntries(Object.entries(part).sort(byKey)) : part,
    );
  } catch {
    return undefined;
  }
}

function byKey([left]: [string, unknown], [right]: [string, unknown]): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(json: string | null): Record<string, unknown> | undefined {
  if (json === null) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    return isPlainObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
