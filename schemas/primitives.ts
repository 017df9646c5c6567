import { z } from 'zod';

/** Limits of what a producer may say; each refusal names the one that was passed. */
export const limits = {
  idCharactersMax: 256,
  textBytesMax: 256 * 1024,
  metadataBytesMax: 64 * 1024,
  /** Objects and arrays inside one another; writing JSON overflows the stack at some thousands. */
  metadataNestingMax: 64,
  batchItemsMax: 10_000,
  traceIdCharactersMax: 128,
} as const;

export const corpusPattern = /^[a-z0-9_-]{1,64}$/;

/** The name of a corpus: lower-case letters, digits, `_` and `-`, 1 to 64 of them. */
export const corpusSchema = z
  .string()
  .regex(corpusPattern, { message: 'must be 1 to 64 of a-z, 0-9, "_" and "-", such as "workers"' });

// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to refuse them
const controlCharacters = /[\u0000-\u001f\u007f]/;

/** A document's id: any text of 1 to 256 characters without control characters. */
export const documentIdSchema = z
  .string()
  .min(1, { message: 'must not be empty' })
  .max(limits.idCharactersMax, { message: `must be at most ${limits.idCharactersMax} characters` })
  .refine((id) => !controlCharacters.test(id), { message: 'must not hold control characters' })
  .refine((id) => id.isWellFormed(), { message: 'must be well-formed Unicode' });

export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** The text of a document or a query: something besides white space, at most 256 KiB of UTF-8. */
export const textSchema = z
  .string()
  .refine((text) => text.trim().length > 0, { message: 'must not be empty' })
  .refine((text) => utf8Bytes(text) <= limits.textBytesMax, {
    message: `must be at most ${limits.textBytesMax} bytes of UTF-8`,
  });

/** Whether objects and arrays lie inside one another more than so many levels deep. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((inner) => isNestedDeeper(inner, levels - 1));
}

/** A JSON object, at most 64 levels deep and at most 64 KiB when written. */
export const metadataSchema = z
  .custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    message: 'must be a JSON object',
  })
  .refine((value) => !isNestedDeeper(value, limits.metadataNestingMax), {
    message: `must not be nested more than ${limits.metadataNestingMax} levels deep`,
    // What comes behind it writes the value.
    abort: true,
  })
  .refine((value) => !Object.hasOwn(value, '__proto__'), { message: 'must not have a key "__proto__"' })
  .refine((value) => utf8Bytes(JSON.stringify(value)) <= limits.metadataBytesMax, {
    message: `must be at most ${limits.metadataBytesMax} bytes of JSON`,
  });

export const sequenceSchema = z.number().int().nonnegative();
export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, { message: 'must be 64 lower-case hex digits' });
const traceIdPattern = /^[\x21-\x7e]{1,128}$/;
export const traceIdSchema = z.string().regex(traceIdPattern, { message: 'must be 1 to 128 visible ASCII characters' });

/** As `traceIdSchema`, where every request is asked. */
export function isTraceId(text: string): boolean {
  return traceIdPattern.test(text);
}
