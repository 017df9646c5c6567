/** A source row, as it was parsed. */
export type SourceRow = Readonly<Record<string, unknown>>;

/** The first of the fields that holds text which is more than white space. */
export function textField(row: SourceRow, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = row[name];
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return undefined;
}

/** The first of the fields that holds a finite number. */
export function numberField(row: SourceRow, ...names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = row[name];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return undefined;
}

/** The first of the fields that holds a whole number from 0. */
export function countField(row: SourceRow, ...names: readonly string[]): number | undefined {
  const value = numberField(row, ...names);
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The texts of a field that holds an array; what is no text in it is left out. Undefined where none is. */
export function textsField(row: SourceRow, name: string): string[] | undefined {
  const value = row[name];
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((entry): entry is string => typeof entry === 'string' && entry.trim() !== '');
  return texts.length === 0 ? undefined : texts;
}

/** Numbers are ids in some sources. */
export function idField(row: SourceRow, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = row[name];
    if (typeof value === 'number' && Number.isFinite(value)) return String(value);
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return undefined;
}

/** The fields as they are, those that are not there left out; undefined where none is. */
export function keepFields(row: SourceRow, ...names: readonly string[]): Record<string, unknown> | undefined {
  const kept = names.filter((name) => row[name] !== undefined && row[name] !== null).map((name) => [name, row[name]]);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Leaves out what is undefined: an optional field that is there holds something. */
export function withoutGaps<Value extends object>(
  value: Value,
): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [Key in keyof Value]: Exclude<Value[Key], undefined>;
  };
}
