import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { observationLimits, observedOperationSchema } from '../../schemas/events/observation.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { observerEventRequestSchema } from '../../schemas/requests/observer.ts';
import { parseRequest } from '../../schemas/requests/parse.ts';
import { operationFrom } from './operation.ts';

const now = '2026-11-21T08:00:00.000Z';
const read = (body: unknown) => operationFrom(parseRequest(observerEventRequestSchema, body), now);

function refusal(body: unknown): unknown {
  try {
    read(body);
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a posted event', () => {
  it('given an endpoint alone, then the rest is filled in', () => {
    expect(read({ endpoint: '/v1/matrix/search' })).toEqual({
      timestamp: now,
      endpoint: '/v1/matrix/search',
      source: 'mcp',
      success: true,
      duration_ms: 0,
      input_summary: '',
      output_summary: '',
    });
  });

  it('given every field, then each is kept', () => {
    const body = {
      timestamp: '2026-11-20T10:00:00+01:00',
      endpoint: 'fill',
      source: 'scenario',
      success: false,
      duration_ms: 12.5,
      input_summary: 'need 3',
      output_summary: 'none',
      error: 'no match',
      trace_id: 't-1',
      staffer_id: 's-1',
      sig_hash: 'abc',
      event_kind: 'fill',
      role: 'Forklift Operator',
      city: 'Aurora',
      state: 'IL',
      count: 3,
      rescue_attempted: true,
      rescue_succeeded: false,
    };
    expect(read(body)).toEqual(body);
  });

  it('given the other names of fields, then they stand in for those that are not there', () => {
    expect(read({ endpoint: 'e', ok: false, audit_duration_ms: 7, one_liner: 'done' })).toMatchObject({
      success: false,
      duration_ms: 7,
      output_summary: 'done',
    });
    const both = {
      success: true,
      ok: false,
      duration_ms: 1,
      audit_duration_ms: 7,
      output_summary: 'a',
      one_liner: 'b',
    };
    expect(read({ endpoint: 'e', ...both })).toMatchObject({ success: true, duration_ms: 1, output_summary: 'a' });
  });

  it('given an empty source or timestamp, then it is as if left out', () => {
    expect(read({ endpoint: 'e', source: '', timestamp: '' })).toMatchObject({ source: 'mcp', timestamp: now });
  });

  it('given fields that nobody knows, null ones, and a number of occurrences, then they are left out', () => {
    const read1 = read({ endpoint: 'e', occurrences: 1e9, password: 'x', role: null, nested: { a: 1 } });
    expect(Object.keys(read1)).not.toEqual(expect.arrayContaining(['occurrences']));
    expect(observedOperationSchema.parse(read1)).toEqual(read({ endpoint: 'e' }));
  });

  it('reference 10.33: given line ends and lengths without measure, then summaries are one line within their limit', () => {
    const long = `a\r\nb\n${'x'.repeat(observationLimits.summaryCharactersMax - 5)}😀`;
    const { input_summary, output_summary, error } = read({
      endpoint: 'e',
      input_summary: long,
      one_liner: '\n\n',
      error: long,
    });
    expect(input_summary).toHaveLength(observationLimits.summaryCharactersMax);
    expect(input_summary.startsWith('a b x')).toBe(true);
    expect(input_summary.isWellFormed()).toBe(true);
    expect(output_summary).toBe(' ');
    expect(error).toBe(input_summary);
  });

  it.each([
    [{}, 'endpoint'],
    [{ endpoint: '' }, 'endpoint'],
    [{ endpoint: 5 }, 'endpoint'],
    [{ endpoint: 'x'.repeat(257) }, 'endpoint'],
    [{ endpoint: 'e', source: 'Two Words' }, 'source'],
    [{ endpoint: 'e', source: 'a.b' }, 'source'],
    [{ endpoint: 'e', source: '*' }, 'source'],
    [{ endpoint: 'e', duration_ms: -1 }, 'duration_ms'],
    [{ endpoint: 'e', success: 'yes' }, 'success'],
    [{ endpoint: 'e', count: 1.5 }, 'count'],
    [{ endpoint: 'e', staffer_id: { id: 1 } }, 'staffer_id'],
  ])('given %j, then it is a 400 that names %s', (body, field) => {
    expect(refusal(body)).toMatchObject({ status: 400, code: 'bad_request', field });
  });

  it.each([[null], [[]], ['text'], [5]])('given %j for a body, then it is a 400', (body) => {
    expect(refusal(body)).toMatchObject({ status: 400, code: 'bad_request' });
  });

  it('reference 10.33: makes of any body a refusal or an operation that its schema takes', () => {
    const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue());
    const mostly = (arbitrary: fc.Arbitrary<unknown>) =>
      fc.oneof({ weight: 12, arbitrary }, { weight: 1, arbitrary: anything });
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });
    const bodies = fc.record(
      {
        endpoint: mostly(text),
        source: mostly(fc.constantFrom('', 'mcp', 'scenario')),
        timestamp: mostly(text),
        success: mostly(fc.boolean()),
        duration_ms: mostly(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
        input_summary: mostly(fc.string({ unit: 'binary', maxLength: 2_000 })),
        error: mostly(fc.string({ unit: 'binary', maxLength: 2_000 })),
        role: mostly(text),
        count: mostly(fc.integer()),
      },
      { requiredKeys: ['endpoint'] },
    );
    let taken = 0;
    fc.assert(
      fc.property(bodies, (body) => {
        try {
          const operation = read(body);
          taken++;
          expect(observedOperationSchema.parse(operation)).toEqual(operation);
          for (const line of [operation.endpoint, operation.input_summary, operation.error ?? ''])
            expect(line).not.toMatch(/[\r\n]/);
        } catch (error) {
          if (!(error instanceof ProblemError)) throw error;
          expect(error.problem.status).toBe(400);
        }
      }),
    );
    expect(taken).toBeGreaterThan(10);
  });
});
