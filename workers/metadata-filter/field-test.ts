import { canonicalJson, isPlainObject, isScalar } from './canonical-json.ts';

/** A question to one JSON value. It does not throw, whatever it is asked. */
export interface ValueTest {
  holds(value: unknown): boolean;
  /** Lists that it holds for as a whole; of lists it holds for no others. */
  readonly lists: readonly (readonly unknown[])[];
}

/** What a filter asks of one field. */
export interface FieldTest {
  /** Whether a document without the field passes. */
  readonly whenMissing: boolean;
  /** Whether one with the field can pass at all. */
  readonly whenPresent: boolean;
  /** Has to hold; undefined asks nothing. */
  readonly wanted: ValueTest | undefined;
  /** Must not hold. */
  readonly refused: ValueTest | undefined;
  /** Whether a list in the metadata is also asked element by element: one that holds is enough. */
  readonly elements: boolean;
}

/**
 * Compiles what one key of a filter asks for: a scalar, a list of which one must be equal, or an object of operators.
 * Operators that are not known admit nothing; requests are checked before.
 */
export function compileFieldTest(expected: unknown): FieldTest {
  if (isPlainObject(expected)) return compileOperators(expected);
  const wanted = equalsAny(Array.isArray(expected) ? expected : [expected]);
  return { whenMissing: false, whenPresent: true, wanted, refused: undefined, elements: false };
}

/** Whether a field's value passes; `undefined` stands for a field that is not there. */
export function passes(test: FieldTest, value: unknown): boolean {
  if (value === undefined) return test.whenMissing;
  if (!test.whenPresent) return false;
  const { wanted, refused, elements } = test;
  if (refused !== undefined && asks(refused, value, elements)) return false;
  return wanted === undefined || asks(wanted, value, elements);
}

function asks(test: ValueTest, value: unknown, elements: boolean): boolean {
  if (test.holds(value)) return true;
  return elements && Array.isArray(value) && value.some((element) => test.holds(element));
}

function compileOperators(operators: Record<string, unknown>): FieldTest {
  const { in: choices, not, exists, ...bounds } = operators;
  const tests: ValueTest[] = Object.entries(bounds).map(([operator, operand]) => compileBound(operator, operand));
  if (choices !== undefined) tests.push(equalsAny(Array.isArray(choices) ? choices : [choices]));
  return {
    // Only who asks for the absence of a field finds documents without it.
    whenMissing: exists === false && tests.length === 0 && not === undefined,
    whenPresent: exists !== false,
    wanted: tests.length === 0 ? undefined : all(tests),
    refused: not === undefined ? undefined : equalsAny(Array.isArray(not) ? not : [not]),
    elements: true,
  };
}

/** One and the same value has to meet all. */
function all(tests: readonly ValueTest[]): ValueTest {
  const [first] = tests;
  if (first !== undefined && tests.length === 1) return first;
  const lists = tests.flatMap((test) => test.lists);
  return {
    holds: (value) => tests.every((test) => test.holds(value)),
    lists: lists.filter((list) => tests.every((test) => test.holds(list))),
  };
}

/** Equality by canonical JSON: 1 and 1.0 are equal, 1 and "1" are not, key order is nothing. */
function equalsAny(choices: readonly unknown[]): ValueTest {
  const scalars = new Set(choices.filter(isScalar));
  const composites = new Set<string>();
  const lists: (readonly unknown[])[] = [];
  for (const choice of choices) {
    const text = isScalar(choice) ? undefined : canonicalJson(choice);
    if (text === undefined) continue;
    composites.add(text);
    if (Array.isArray(choice)) lists.push(choice);
  }
  return {
    holds: (value) => {
      if (isScalar(value)) return scalars.has(value);
      if (composites.size === 0) return false;
      const text = canonicalJson(value);
      return text !== undefined && composites.has(text);
    },
    lists,
  };
}

const comparisons: Readonly<Record<string, (value: number | string, bound: number | string) => boolean>> = {
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
};

/** Numbers compare with numbers, texts with texts by their UTF-16 units: dates in one form of ISO 8601 by time. */
function compileBound(operator: string, bound: unknown): ValueTest {
  const compare = Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
  if (compare === undefined || (typeof bound !== 'number' && typeof bound !== 'string'))
    return { holds: () => false, lists: [] };
  const kind = typeof bound;
  return {
    holds: (value) =>
      (typeof value === 'number' || typeof value === 'string') && typeof value === kind && compare(value, bound),
    lists: [],
  };
}
