import type { z } from 'zod';
import { issueSentence, ProblemError } from '../problems.ts';

/**
 * Reads a request body. What does not fit is a `bad_request` problem with the field and the reason; a field that people
 * are known to write for another is named by its right name.
 * @param slips wrong field name -> right field name
 */
export function parseRequest<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  slips: Readonly<Record<string, string>> = {},
): z.output<Schema> {
  if (typeof value === 'object' && value !== null) {
    for (const [wrong, right] of Object.entries(slips)) {
      if (Object.hasOwn(value, wrong) && !Object.hasOwn(value, right))
        throw new ProblemError('bad_request', `unknown field "${wrong}": did you mean "${right}"?`, { field: right });
    }
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new ProblemError('bad_request', issueSentence(parsed.error), path === '' ? {} : { field: path });
}

/** As `parseRequest`, from the bytes of a body. */
export function parseRequestBytes<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  slips: Readonly<Record<string, string>> = {},
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch (error) {
    throw new ProblemError('bad_request', `the body is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  return parseRequest(schema, value, slips);
}
