import { ProblemError } from '../../schemas/problems.ts';
import type { Clock } from '../../streams/clock.ts';
import { createWatermarks, type PipelineState, type Watermarks } from './pipeline.ts';

export const pipelineLimits = {
  /** One look serves everybody for so long. */
  lookEveryMs: 1_000,
  /** From this share of its byte limit on, a stream is taken for full: what is on its way already still fits. */
  fullShare: 0.95,
  /** What a client is told to wait: for workers to catch up, and for an operator to make room. */
  backlogRetrySeconds: 5,
  fullRetrySeconds: 30,
  /** A stream is held up so long for room before it is told to come again. */
  roomWaitMs: 30_000,
} as const;

/** How far the pipeline is, and whether it may be given more. */
export interface PipelineWatch {
  readonly watermarks: Watermarks;
  /** How it is, not older than `lookEveryMs`. Throws where the log can not be asked. */
  look(): Promise<PipelineState>;
  /** What whoever wants to append is told instead, as of the last look; it never waits for one. */
  pressure(): ProblemError | undefined;
  /**
   * Waits for room, as long as a client is held up at most, or until the signal aborts.
   * @throws ProblemError `rate_limited`, `overloaded`
   */
  untilRoom(signal: AbortSignal): Promise<void>;
}

/**
 * Producers are held back where the workers are `backlogMax` events behind, or a stream is nearly full: what is
 * acknowledged is bounded by what can be kept.
 */
export function createPipelineWatch(
  read: () => Promise<PipelineState>,
  { backlogMax }: { readonly backlogMax: number },
  clock: Clock,
): PipelineWatch {
  const watermarks = createWatermarks();
  let newest: { readonly state: PipelineState; readonly atMs: number } | undefined;
  let looking: Promise<PipelineState> | undefined;
  const isFresh = () => newest !== undefined && clock.monotonicMs() - newest.atMs < pipelineLimits.lookEveryMs;
  const lookNow = () => {
    looking ??= read()
      .then((state) => {
        watermarks.note(state);
        newest = { state, atMs: clock.monotonicMs() };
        return state;
      })
      .finally(() => {
        looking = undefined;
      });
    return looking;
  };
  const pressure = () => {
    // The next one is told; a log that is away is told by the append itself.
    if (!isFresh()) lookNow().catch(() => undefined);
    return newest === undefined ? undefined : pressureOf(newest.state, backlogMax);
  };
  return {
    watermarks,
    look: async () => (newest !== undefined && isFresh() ? newest.state : lookNow()),
    pressure,
    untilRoom: async (signal) => {
      const givesUpAtMs = clock.monotonicMs() + pipelineLimits.roomWaitMs;
      for (let told = pressure(); told !== undefined; told = pressure()) {
        if (signal.aborted || clock.monotonicMs() >= givesUpAtMs) throw told;
        await clock.sleep(pipelineLimits.lookEveryMs, signal);
        await lookNow().catch(() => undefined);
      }
    },
  };
}

function pressureOf({ ingest, embed, fullest }: PipelineState, backlogMax: number): ProblemError | undefined {
  if (fullest.share >= pipelineLimits.fullShare) {
    const percent = Math.floor(fullest.share * 100);
    const detail =
      `stream ${fullest.stream} is ${percent} % full, and takes no more documents: raise ` +
      `LAKEHOUSE_STREAM_BYTES_${fullest.stream} and run "lakehouse provision"`;
    return new ProblemError('overloaded', detail, { retry_after_seconds: pipelineLimits.fullRetrySeconds });
  }
  const backlog = ingest.pending + embed.pending;
  if (backlog < backlogMax) return undefined;
  const detail = `${backlog} events wait to be worked on already, and ${backlogMax} may (LAKEHOUSE_BACKLOG_MAX); try again later`;
  return new ProblemError('rate_limited', detail, { retry_after_seconds: pipelineLimits.backlogRetrySeconds, backlog });
}
