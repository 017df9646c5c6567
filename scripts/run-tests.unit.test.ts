import { describe, expect, it } from 'vitest';

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const script = new URL('./run-tests.mjs', import.meta.url).href;
const { countTests } = (await import(script)) as { countTests: (report: unknown, endedWell: boolean) => Counts };

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((one) => ({ status: one })),
});
const report = (passed: number, failed: number, pending: number, testResults: object[]) => ({
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: pending,
  numTodoTests: 1,
  testResults,
});

describe('counting a test report', () => {
  it('counts what passed, failed and was skipped', () => {
    const files = [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')];
    expect(countTests(report(3, 1, 2, files), false)).toEqual({ passed: 3, failed: 1, skipped: 3 });
  });

  it('counts a file that could not be loaded as a failure', () => {
    const files = [file('passed', 'passed'), file('failed')];
    expect(countTests(report(1, 0, 0, files), false)).toMatchObject({ passed: 1, failed: 1 });
  });

  it.each([
    { name: 'no test at all', given: report(0, 0, 0, []), endedWell: true },
    { name: 'a run without a report', given: undefined, endedWell: true },
    { name: 'an error outside of all tests', given: report(5, 0, 0, [file('passed', 'passed')]), endedWell: false },
  ])('takes $name for a failure', ({ given, endedWell }) => {
    expect(countTests(given, endedWell).failed).toBe(1);
  });

  it('finds no failure where there is none', () => {
    expect(countTests(report(5, 0, 0, [file('passed', 'passed')]), true).failed).toBe(0);
  });
});
