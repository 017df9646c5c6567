import { z } from 'zod';
import { auditReportSchema } from '../../schemas/distillation/audit.ts';

/** What an audit in a process of its own is told, as its one argument. */
export const auditTaskSchema = z.strictObject({
  /** The data directory. */
  root: z.string().min(1),
});
export type AuditTask = z.output<typeof auditTaskSchema>;

/** What it says, as its one line. */
export const auditOutcomeSchema = z.discriminatedUnion('say', [
  z.strictObject({ say: z.literal('audited'), report: auditReportSchema }),
  z.strictObject({ say: z.literal('failed'), message: z.string() }),
]);
export type AuditOutcome = z.output<typeof auditOutcomeSchema>;
