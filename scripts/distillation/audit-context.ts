import { auditContextOf } from '../../workers/audit/context.ts';
import type { AuditContext } from '../../workers/audit/phase.ts';
import { projectDirectory } from '../bench/project.ts';

/** What runs the tests of the schemas where nothing else is asked for; "" turns the phase off. */
export const schemaTestsCommandDefault =
  'npx vitest run --project unit schemas workers/distillation/evidence workers/distillation/exports';

/** An audit of a data directory by this program. @param schemaTests a command line; empty: the phase is skipped */
export function auditContext(root: string, schemaTests: string): AuditContext {
  return auditContextOf(root, projectDirectory(), schemaTests);
}
