import { z } from 'zod';
import { isNestedDeeper, utf8Bytes } from '../primitives.ts';

/** What one filter may cost: every document is asked about every key. */
export const filterLimits = {
  keysMax: 16,
  keyCharactersMax: 256,
  listEntriesMax: 1_000,
  /** Lists and objects inside one another, the filter itself among them. */
  nestingMax: 8,
  bytesMax: 64 * 1024,
} as const;

export const boundOperators = ['gt', 'gte', 'lt', 'lte'] as const;
export const filterOperators = [...boundOperators, 'in', 'not', 'exists'] as const;

const scalarSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const listSchema = z.array(z.unknown()).max(filterLimits.listEntriesMax);
const boundSchema = z.union([z.number(), z.string()]).optional();
const documentedSchema = z
  .record(
    z.string().max(filterLimits.keyCharactersMax),
    z.union([
      scalarSchema,
      listSchema,
      z.strictObject({
        gt: boundSchema,
        gte: boundSchema,
        lt: boundSchema,
        lte: boundSchema,
        in: listSchema.optional(),
        not: z.union([scalarSchema, listSchema]).optional(),
        exists: z.boolean().optional(),
      }),
    ]),
  )
  .meta({ maxProperties: filterLimits.keysMax });
const { $schema: _dialect, ...documented } = z.toJSONSchema(documentedSchema);

/**
 * `metadata_filter`: keys to what their value must be, all of which must hold. A scalar (equal), a list (equal to one of
 * its elements), or operators: `gt`, `gte`, `lt`, `lte` with a number or a text, `in` with a list, `not` with a scalar or a
 * list, `exists` with a boolean.
 */
export const metadataFilterSchema = z
  .custom<Record<string, unknown>>(isObject, { message: 'must be a JSON object' })
  .superRefine((filter, context) => {
    const fault = filterFault(filter);
    if (fault !== undefined) context.addIssue({ code: 'custom', ...fault });
  })
  // Checked by hand, so that each refusal names what is wrong; this tells the contract.
  .meta(documented);

interface Fault {
  readonly path: string[];
  readonly message: string;
}

/** What is wrong with a filter, the first thing only. */
function filterFault(filter: Record<string, unknown>): Fault | undefined {
  const { keysMax, keyCharactersMax, nestingMax, bytesMax } = filterLimits;
  const whole = (message: string): Fault => ({ path: [], message });
  const keys = Object.keys(filter);
  if (keys.length > keysMax) return whole(`must have at most ${keysMax} keys, not ${keys.length}`);
  // Said before anything writes it: a deep one overflows the stack.
  if (isNestedDeeper(filter, nestingMax)) return whole(`must not be nested more than ${nestingMax} levels deep`);
  if (utf8Bytes(JSON.stringify(filter)) > bytesMax) return whole(`must be at most ${bytesMax} bytes of JSON`);
  for (const key of keys) {
    if (key.length > keyCharactersMax) return whole(`must have keys of at most ${keyCharactersMax} characters`);
    const message = conditionFault(filter[key]);
    if (message !== undefined) return { path: [key], message };
  }
  return undefined;
}

function conditionFault(condition: unknown): string | undefined {
  if (Array.isArray(condition)) return listFault(condition, 'a list');
  if (!isObject(condition)) return undefined;
  const operators = Object.entries(condition);
  if (operators.length === 0) return `names no operator; there are ${filterOperators.join(', ')}`;
  for (const [operator, operand] of operators) {
    const fault = operatorFault(operator, operand);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function operatorFault(operator: string, operand: unknown): string | undefined {
  if (isBound(operator))
    return typeof operand === 'number' || typeof operand === 'string'
      ? undefined
      : `"${operator}" takes a number or a text`;
  switch (operator) {
    case 'in':
      return Array.isArray(operand) ? listFault(operand, '"in"') : '"in" takes a list';
    case 'not':
      if (isObject(operand)) return '"not" takes a scalar or a list';
      return Array.isArray(operand) ? listFault(operand, '"not"') : undefined;
    case 'exists':
      return typeof operand === 'boolean' ? undefined : '"exists" takes true or false';
    default:
      return (
        `${JSON.stringify(operator.slice(0, 64))} is no operator; there are ${filterOperators.join(', ')}. ` +
        'An object to be equal to stands in a list: [{...}]'
      );
  }
}

function isBound(operator: string): boolean {
  return boundOperators.some((bound) => bound === operator);
}

function listFault(list: readonly unknown[], what: string): string | undefined {
  const { listEntriesMax } = filterLimits;
  return list.length <= listEntriesMax
    ? undefined
    : `${what} may hold at most ${listEntriesMax} entries, not ${list.length}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
