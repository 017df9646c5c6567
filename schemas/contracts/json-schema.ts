import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (draft 2020-12) of what is written on the wire.
 * @param side `input`: what a caller may send, defaults left out; `output`: what an answer holds
 */
export function jsonSchema(schema: z.ZodType, side: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: side,
    target: 'draft-2020-12',
    // A refinement has no counterpart there: what it says stands in the message of the problem it becomes.
    unrepresentable: 'any',
    // No `$defs`: where they stand inside a document of its own, their references lead nowhere.
    reused: 'inline',
  });
  return rest;
}

/** The version of what is promised to callers and producers; it is not the version of the program. */
export const contractVersion = '1.0.0';
