import { ProblemError } from '../../schemas/problems.ts';
import {
  type ObserverEventReply,
  type ObserverHealthReply,
  type ObserverRejectedReply,
  observerEventRequestSchema,
} from '../../schemas/requests/observer.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import { append } from '../../streams/append.ts';
import { isoTime } from '../../streams/clock.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { FoldProgress } from '../../streams/progress.ts';
import type { DeadLetterFold } from '../../streams/rejections.ts';
import type { ServiceHandler, ServiceRequest } from '../../streams/service.ts';
import { type ObserverState, statsOf } from './fold.ts';
import { operationFrom } from './operation.ts';

export interface ObserverServicesOptions {
  readonly connection: LogConnection;
  /** The state now. */
  readonly state: () => ObserverState;
  /** How far OBSERVATIONS is folded into it. */
  readonly progress: FoldProgress;
  readonly rejected: DeadLetterFold;
  /** A message id that nobody had yet: a posted event has no identity of its own, so each one posted is one kept. */
  readonly newId: () => string;
}

export interface ObserverServices {
  readonly endpoints: Readonly<Record<string, ServiceHandler>>;
  /** Resolves when no event that was taken is still to be answered. */
  settled(): Promise<void>;
}

/**
 * The answers of the observer, all from its state: `stats`, `health` and `rejected` at once, `event` when it is kept and
 * counted.
 */
export function observerServices(options: ObserverServicesOptions): ObserverServices {
  const { state } = options;
  const unanswered = new Set<Promise<unknown>>();
  return {
    endpoints: {
      'svc.observer.stats': () => ({ body: JSON.stringify(statsOf(state())) }),
      'svc.observer.health': () => {
        const reply: ObserverHealthReply = { status: 'ok', service: 'observer', ring_size: state().ring.length };
        return { body: JSON.stringify(reply) };
      },
      'svc.observer.rejected': () => ({ body: JSON.stringify(rejectedReply(options.rejected)) }),
      'svc.observer.event': (request) => {
        const answer = recordEvent(request, options);
        unanswered.add(answer);
        const answered = () => void unanswered.delete(answer);
        answer.then(answered, answered);
        return answer;
      },
    },
    settled: async () => {
      await Promise.allSettled(unanswered);
    },
  };
}

/**
 * Keeps one posted event, waits until it is counted, and answers. It is in the log before anything is said, so that
 * whoever got an answer finds it in the stats after any restart.
 */
async function recordEvent(request: ServiceRequest, options: ObserverServicesOptions): Promise<{ body: string }> {
  const { connection, progress, state } = options;
  const now = isoTime(connection.clock);
  const operation = operationFrom(parseRequestBytes(observerEventRequestSchema, request.body), now);
  const { source } = operation;
  const data = { source, operations: [operation], dropped: 0 };
  const { sequence } = await append(connection, 'lakehouse.observation', { source }, data, {
    messageId: options.newId(),
    source: 'observer-worker',
    traceId: request.traceId,
    traceparent: request.traceparent,
  });
  const deadline = new AbortController();
  const leftMs = request.deadlineAtMs - connection.clock.monotonicMs();
  void connection.clock.sleep(leftMs, deadline.signal).then(() => deadline.abort());
  const counted = await progress.waitFor(sequence, deadline.signal);
  deadline.abort();
  if (!counted)
    throw new ProblemError(
      'deadline_passed',
      `the event is kept as sequence ${sequence} of OBSERVATIONS but not counted yet: it will be; do not send it again`,
    );
  const reply: ObserverEventReply = { accepted: true, ring_size: state().ring.length };
  return { body: JSON.stringify(reply) };
}

function rejectedReply({ letters, projector }: DeadLetterFold): ObserverRejectedReply {
  const counts = letters.counts();
  const open = Object.values(counts).reduce((sum, { waiting, retrying }) => sum + waiting + retrying, 0);
  return { sequence: projector.progress.sequence(), open, by_reason: { ...counts }, forgotten: letters.forgotten() };
}
