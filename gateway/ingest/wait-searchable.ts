import { joinPositions, type Position, parsePosition, positionHeader } from '../../schemas/position.ts';
import { type ProblemCode, ProblemError } from '../../schemas/problems.ts';
import { type WaitReply, waitItemsMax, waitReplySchema } from '../../schemas/requests/index.ts';
import type { ServiceReply } from '../../streams/service-client.ts';
import { type Cause, causeHeaders } from '../../streams/trace-headers.ts';
import type { GatewayDependencies } from '../dependencies.ts';

export interface WaitItem {
  readonly corpus: string;
  readonly id: string;
  /** The INGEST sequence that has to be searchable, or rejected. */
  readonly version: number;
}

export interface WaitOutcome extends WaitReply {
  /** Where whoever answered had read to: a search that carries it sees the documents. */
  readonly position: Position;
}

/**
 * Waits until every document can be found or was rejected.
 * @param deadlineMs for all of them together
 * @param accepted what the log has taken already: told in the problem, as the documents stay there
 * @throws ProblemError `deadline_passed`, `unavailable` or `upstream_failed`
 */
export async function waitSearchable(
  items: readonly WaitItem[],
  { deadlineMs, cause, accepted }: { deadlineMs: number; cause: Cause; accepted: Record<string, unknown> },
  { client, clock }: Pick<GatewayDependencies, 'client' | 'clock'>,
): Promise<WaitOutcome> {
  const endsAtMs = clock.monotonicMs() + deadlineMs;
  let searchable = 0;
  let position: Position = {};
  const rejected: WaitReply['rejected'] = [];
  for (let from = 0; from < items.length; from += waitItemsMax) {
    const body = Buffer.from(JSON.stringify({ items: items.slice(from, from + waitItemsMax) }), 'utf8');
    const remainingMs = Math.max(1, endsAtMs - clock.monotonicMs());
    const answer = await client.request('svc.index.wait', body, {
      deadlineMs: remainingMs,
      headers: causeHeaders(cause),
    });
    const read = answer.status === 200 ? waitReplySchema.safeParse(readJson(answer)) : undefined;
    if (read === undefined || !read.success) throw waitProblem(answer, accepted);
    searchable += read.data.searchable;
    rejected.push(...read.data.rejected);
    position = joinPositions(position, parsePosition(answer.headers[positionHeader] ?? '') ?? {});
  }
  return { searchable, rejected, position };
}

const codes: Readonly<Record<number, ProblemCode>> = { 503: 'unavailable', 504: 'deadline_passed' };

function waitProblem(answer: ServiceReply, accepted: Record<string, unknown>): ProblemError {
  const said = readJson(answer);
  const detail = typeof said === 'object' && said !== null && 'detail' in said ? String(said.detail) : 'no answer came';
  return new ProblemError(
    codes[answer.status] ?? 'upstream_failed',
    `the documents are in the log, and waiting for them to be searchable failed: ${detail}`,
    accepted,
  );
}

function readJson({ body }: ServiceReply): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    return undefined;
  }
}
