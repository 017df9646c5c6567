import { type AuditContext, type PhaseOutcome, required } from '../phase.ts';

/** Phase 1: the tests of the schemas pass, in a process of their own. */
export async function auditSchemas({ runSchemaTests }: AuditContext): Promise<PhaseOutcome> {
  if (runSchemaTests === undefined) return { checks: [], skipped: 'the command of the schema tests is empty' };
  const { passed, summary } = await runSchemaTests();
  const check = { phase: 1, name: 'schema_tests', expected: 'all pass', actual: summary, passed };
  return { checks: [required(check)] };
}
