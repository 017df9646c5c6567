import { join } from 'node:path';
import type { z } from 'zod';
import type { BaselineDriftRow } from '../../schemas/distillation/audit.ts';
import { type AuditBaseline, auditBaselineSchema, replayRunSchema } from '../../schemas/events/lines.ts';
import { ProblemError } from '../../schemas/problems.ts';
import {
  type auditBaselinesReplySchema,
  type auditDriftReplySchema,
  auditRunRequestSchema,
  logPageQuerySchema,
  replayRunsQuerySchema,
  type replayRunsReplySchema,
} from '../../schemas/requests/audit.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceHandler } from '../../streams/service.ts';
import type { AuditProcess } from '../audit/audit-process.ts';
import { baselineLogPath } from '../audit/baseline-log.ts';
import { readLogPage } from '../audit/log-page.ts';
import { replayLogPath } from '../audit/phases/replay.ts';
import { baselineDrift } from '../drift/baseline-drift.ts';

export interface AuditServicesOptions {
  /** Where the projections lie, and what distillation left. */
  readonly dataDirectory: string;
  readonly clock: Clock;
  readonly audit: AuditProcess;
}

export interface AuditServices {
  readonly endpoints: Readonly<Record<string, ServiceHandler>>;
  /** Ends an audit that is under way. */
  stop(): void;
}

/** What audits counted and replays came to, out of the files that the observer makes of the log; and an audit now. */
export function auditServices({ dataDirectory, clock, audit }: AuditServicesOptions): AuditServices {
  const baselines = join(dataDirectory, baselineLogPath);
  const stopping = new AbortController();
  return {
    stop: () => stopping.abort(),
    endpoints: {
      'svc.audit.baselines': async ({ body }) => {
        const query = parseRequestBytes(logPageQuerySchema, orNothing(body));
        const { rows, nextBefore } = await readLogPage(baselines, auditBaselineSchema, query);
        const reply: z.output<typeof auditBaselinesReplySchema> = {
          baselines: rows.map(({ sequence, row }) => ({ sequence, baseline: row })),
          next_before: nextBefore,
        };
        return { body: JSON.stringify(reply) };
      },
      'svc.audit.drift': async () => ({ body: JSON.stringify(await driftReply(baselines)) }),
      'svc.audit.run': async ({ body, deadlineAtMs }) => {
        parseRequestBytes(auditRunRequestSchema, orNothing(body));
        const leftMs = Math.max(1, Math.round(deadlineAtMs - clock.monotonicMs()));
        const report = await audit.run(AbortSignal.any([AbortSignal.timeout(leftMs), stopping.signal]));
        return { body: JSON.stringify(report) };
      },
      'svc.replay.runs': async ({ body }) => {
        const { schema, ...query } = parseRequestBytes(replayRunsQuerySchema, orNothing(body));
        const { rows, nextBefore } = await readLogPage(
          join(dataDirectory, replayLogPath),
          replayRunSchema,
          query,
          (run) => schema === undefined || run?.schema === schema,
        );
        const reply: z.output<typeof replayRunsReplySchema> = {
          runs: rows.map(({ sequence, row }) => ({ sequence, run: row })),
          next_before: nextBefore,
        };
        return { body: JSON.stringify(reply) };
      },
    },
  };
}

const nothing = Buffer.from('{}');

/** A request without a body asks for nothing in particular. */
function orNothing(body: Uint8Array): Uint8Array {
  return body.length === 0 ? nothing : body;
}

interface Mark {
  readonly sequence: number;
  readonly baseline: AuditBaseline;
}

async function driftReply(path: string): Promise<z.output<typeof auditDriftReplySchema>> {
  const newest = (await readLogPage(path, auditBaselineSchema, { limit: 2 }, isBaseline)).rows;
  const [current, before] = newest.map(markOf);
  if (current === undefined)
    throw new ProblemError('not_found', 'there is no baseline yet: "lakehouse audit-full --append-baseline" makes one');
  const first = await firstBaseline(path);
  return {
    current: toldMark(current),
    before: compared(before, current),
    first: compared(first?.sequence === current.sequence ? undefined : first, current),
  };
}

const isBaseline = (row: AuditBaseline | null) => row !== null;

async function firstBaseline(path: string): Promise<Mark | undefined> {
  let found = false;
  const { rows } = await readLogPage(path, auditBaselineSchema, { limit: 1 }, (row) => {
    const isFirst = row !== null && !found;
    found ||= isFirst;
    return isFirst;
  });
  return rows.map(markOf)[0];
}

function markOf({ sequence, row }: { readonly sequence: number; readonly row: AuditBaseline | null }): Mark {
  return { sequence, baseline: row ?? { recorded_at: '', metrics: {} } };
}

function toldMark({ sequence, baseline }: Mark) {
  return { sequence, recorded_at: baseline.recorded_at, git_commit: baseline.git_commit ?? null };
}

function compared(prior: Mark | undefined, { baseline }: Mark) {
  const rows = baselineDrift(prior?.baseline.metrics, baseline.metrics);
  const count = (flag: BaselineDriftRow['flag']) => rows.filter((row) => row.flag === flag).length;
  return {
    baseline: prior === undefined ? null : toldMark(prior),
    warn: count('warn'),
    first_run: count('first_run'),
    rows,
  };
}
