import type { StackStatus } from './status.ts';

/** What changed between two looks, a second each. */
export interface StatusRates {
  /** Events appended, by stream. */
  readonly appended: ReadonlyMap<string, number>;
  /** Change of what waits, by consumer; below zero it is worked off. */
  readonly waiting: ReadonlyMap<string, number>;
}

/** The rates between two looks; those of a stream that was made anew in between are left out. */
export function statusRates(before: StackStatus, now: StackStatus, elapsedMs: number): StatusRates {
  const perSecond = (difference: number) => (elapsedMs > 0 ? (difference * 1_000) / elapsedMs : 0);
  const known = new Map(before.streams.map((stream) => [stream.name, stream]));
  const appended = new Map<string, number>();
  const waiting = new Map<string, number>();
  for (const { name, lastSequence, consumers } of now.streams) {
    const earlier = known.get(name);
    if (earlier === undefined || earlier.lastSequence > lastSequence) continue;
    appended.set(name, perSecond(lastSequence - earlier.lastSequence));
    for (const consumer of consumers) {
      const was = earlier.consumers.find((one) => one.name === consumer.name);
      if (was !== undefined) waiting.set(consumer.name, perSecond(consumer.pending - was.pending));
    }
  }
  return { appended, waiting };
}
