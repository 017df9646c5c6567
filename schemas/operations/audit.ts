import { auditReportSchema } from '../distillation/audit.ts';
import { json, type Operation, ok, serviceProblems } from '../operation.ts';
import {
  auditBaselinesReplySchema,
  auditDriftReplySchema,
  auditRunRequestSchema,
  logPageQuerySchema,
  replayRunsQuerySchema,
  replayRunsReplySchema,
} from '../requests/audit.ts';

/** What audits counted, how that drifts, what replays came to, and an audit now. */
export const auditOperations: readonly Operation[] = [
  {
    id: 'auditBaselines',
    method: 'GET',
    path: '/v1/audit/baselines',
    tag: 'audit',
    summary: 'What audits counted, the newest first',
    subject: 'svc.audit.baselines',
    query: logPageQuerySchema,
    replies: ok('A page of AUDIT_BASELINES', auditBaselinesReplySchema),
    problems: serviceProblems,
  },
  {
    id: 'auditDrift',
    method: 'GET',
    path: '/v1/audit/drift',
    tag: 'audit',
    summary: 'The newest baseline beside the one before, and beside the first',
    subject: 'svc.audit.drift',
    replies: ok('A row for each metric', auditDriftReplySchema),
    problems: [...serviceProblems, 'not_found'],
  },
  {
    id: 'auditRun',
    method: 'POST',
    path: '/v1/audit/run',
    tag: 'audit',
    summary: 'Audits what distillation left behind; writes nothing, and one at a time',
    subject: 'svc.audit.run',
    requests: [json(auditRunRequestSchema)],
    replies: ok('The report, whether it passed or not', auditReportSchema),
    problems: [...serviceProblems, 'already_running', 'upstream_failed'],
  },
  {
    id: 'replayRuns',
    method: 'GET',
    path: '/v1/replay/runs',
    tag: 'audit',
    summary: 'What replays and rebuilds came to, the newest first',
    subject: 'svc.replay.runs',
    query: replayRunsQuerySchema,
    replies: ok('A page of REPLAY_RUNS', replayRunsReplySchema),
    problems: serviceProblems,
  },
];
