import type { Position } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceRequest } from '../../streams/service.ts';

/** Resolves false where the position is not reached before the signal aborts. */
export type WaitForPosition = (wanted: Position, signal: AbortSignal) => Promise<boolean>;

/** Aborts when the caller stops waiting. */
export function deadlineOf({ deadlineAtMs }: Pick<ServiceRequest, 'deadlineAtMs'>, clock: Clock): AbortSignal {
  return AbortSignal.timeout(Math.max(1, Math.round(deadlineAtMs - clock.monotonicMs())));
}

/**
 * Waits until the state is folded as far as the request wants.
 * @throws ProblemError `deadline_passed`
 */
export async function reachPosition(request: ServiceRequest, clock: Clock, waitFor: WaitForPosition): Promise<void> {
  if (Object.keys(request.position).length === 0) return;
  if (await waitFor(request.position, deadlineOf(request, clock))) return;
  throw new ProblemError('deadline_passed', 'the index did not reach the asked position before the deadline');
}
