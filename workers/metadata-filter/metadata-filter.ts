import { canonicalJson, isPlainObject } from './canonical-json.ts';
import { compileFieldTest, type FieldTest, passes } from './field-test.ts';

/** Keys to what their value must be. JSON as it came in a request. */
export type MetadataFilter = Readonly<Record<string, unknown>>;

/** Takes a document's metadata as JSON text, `null` where it has none. */
export type MetadataPredicate = (metadataJson: string | null) => boolean;

export interface CompiledFilter {
  /** Equal for filters that are equal as JSON. */
  readonly key: string;
  readonly fields: readonly { readonly name: string; readonly test: FieldTest }[];
  readonly admits: MetadataPredicate;
}

/**
 * Compiles a filter; neither compiling nor asking it throws, whatever the input.
 *
 * - A scalar means equal, a list means equal to any of its elements; an empty list admits nothing. Values are equal when
 *   their canonical JSON is: 1 and 1.0 are, 1 and "1" are not, key order is nothing. A list in the metadata is one value
 *   here: it equals only a list that stands inside the filter's list.
 * - An object holds operators, of which all must hold: `gt`, `gte`, `lt`, `lte` (numbers, or texts), `in` (a list), `not`
 *   (a scalar or a list: none of these), `exists` (a boolean). Of a list in the metadata one element that meets bounds and
 *   `in` together is enough, and none may be among `not`. An object to be equal to stands inside a list.
 * - All keys must hold. A missing key is a refusal, but for `exists: false`. A document without metadata, or with metadata
 *   that is not a JSON object, has no keys.
 * - An absent or empty filter admits everything and reads no metadata.
 */
export function compileFilter(filter: MetadataFilter | null | undefined): CompiledFilter {
  const fields = Object.entries(filter ?? {}).map(([name, expected]) => ({ name, test: compileFieldTest(expected) }));
  return { key: canonicalJson(filter ?? {}) ?? '', fields, admits: predicateOf(fields) };
}

/** The predicate alone. */
export function compileMetadataFilter(filter: MetadataFilter | null | undefined): MetadataPredicate {
  return compileFilter(filter).admits;
}

function predicateOf(fields: CompiledFilter['fields']): MetadataPredicate {
  if (fields.length === 0) return () => true;
  return (metadataJson) => {
    const metadata = parseMetadata(metadataJson);
    for (const { name, test } of fields) if (!passes(test, fieldOf(metadata, name))) return false;
    return true;
  };
}

/** The value of a field, `undefined` where it is not there: JSON has no such value of its own. */
export function fieldOf(metadata: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(metadata, name) ? metadata[name] : undefined;
}

/** The metadata of a document: empty where it has none, or something that is not a JSON object. */
export function parseMetadata(json: string | null): Readonly<Record<string, unknown>> {
  if (json === null) return {};
  try {
    const value: unknown = JSON.parse(json);
    return isPlainObject(value) ? value : {};
  } catch {
    return {};
  }
}
