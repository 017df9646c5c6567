import type { Clock } from './clock.ts';

/** What a stream holds, and what it may hold at most. */
export interface StreamFill {
  readonly bytes: number;
  /** None or less: without end. */
  readonly bytesMax: number;
}

export interface RoomPorts {
  readonly look: (stream: string) => Promise<StreamFill>;
  readonly clock: Clock;
}

/** Asks for room in a stream before something is appended to it. */
export interface Room {
  /**
   * Resolves to whether a record of so many bytes fits. What was taken is given back by `done`, when the server has
   * answered or will not.
   */
  take(stream: string, bytes: number): Promise<boolean>;
  done(stream: string, bytes: number): void;
}

/** So old may the last look at a stream be, by the share of it that was free then. */
const looks = [
  { freeShareMin: 0.5, msMax: 5_000 },
  { freeShareMin: 0.1, msMax: 1_000 },
] as const;
const lookFullMsMax = 100;
/** A stream that is smaller than any that is declared would be full before the next look. */
const lookAlwaysBelowBytes = 64 * 1024 * 1024;
/** Others append too, of whom a look tells late: so much of a stream stays free for them. */
const reserve = { share: 0.01, bytesMax: 4 * 1024 * 1024, bytesMin: 8 * 1024, shareMax: 0.25 } as const;

function reserveBytes({ bytesMax }: StreamFill): number {
  const { share, bytesMax: most, bytesMin, shareMax } = reserve;
  return Math.min(bytesMax * shareMax, Math.max(bytesMin, Math.min(most, bytesMax * share)));
}

interface Known {
  fill: StreamFill;
  lookedAtMs: number;
  /** Of records whose answer has not come. */
  underWay: number;
  /** Of records that were answered since the last look was asked for: it may have seen them, or not. */
  answered: number;
  /** The same for the look that is under way. */
  answeredMeanwhile: number;
  looking: Promise<void> | undefined;
}

const unknown = (): Known => ({
  fill: { bytes: 0, bytesMax: 1 },
  lookedAtMs: Number.NEGATIVE_INFINITY,
  underWay: 0,
  answered: 0,
  answeredMeanwhile: 0,
  looking: undefined,
});

/**
 * Keeps what this connection appends within the byte limits of streams. nats-server before 2.10 takes a message whose
 * bytes fit, counts what it takes to store it only then, and throws the oldest message away where that is too much: of a
 * log that promises to refuse. So nothing is sent to it that would come so close.
 */
export function createRoom({ look, clock }: RoomPorts): Room {
  const streams = new Map<string, Known>();

  const lookAgain = (stream: string, known: Known): Promise<void> => {
    known.looking ??= (async () => {
      try {
        known.answeredMeanwhile = 0;
        known.fill = await look(stream);
        known.answered = known.answeredMeanwhile;
        known.lookedAtMs = clock.monotonicMs();
      } finally {
        known.looking = undefined;
      }
    })();
    return known.looking;
  };
  const isStale = ({ fill, lookedAtMs }: Known): boolean => {
    if (fill.bytesMax < lookAlwaysBelowBytes) return true;
    const freeShare = (fill.bytesMax - fill.bytes) / fill.bytesMax;
    const msMax = looks.find(({ freeShareMin }) => freeShare >= freeShareMin)?.msMax ?? lookFullMsMax;
    return clock.monotonicMs() - lookedAtMs > msMax;
  };
  const fits = ({ fill, underWay, answered }: Known, bytes: number): boolean => {
    return fill.bytesMax <= 0 || fill.bytes + underWay + answered + bytes + reserveBytes(fill) <= fill.bytesMax;
  };

  return {
    take: async (stream, bytes) => {
      const known = streams.get(stream) ?? unknown();
      streams.set(stream, known);
      if (known.fill.bytesMax > 0 && isStale(known)) await lookAgain(stream, known);
      // Nothing is refused for what may be known too late.
      if (!fits(known, bytes)) await lookAgain(stream, known);
      if (!fits(known, bytes)) return false;
      known.underWay += bytes;
      return true;
    },
    done: (stream, bytes) => {
      const known = streams.get(stream);
      if (known === undefined) return;
      known.underWay -= bytes;
      known.answered += bytes;
      known.answeredMeanwhile += bytes;
    },
  };
}
