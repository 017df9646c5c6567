import type { IndexLeaseData } from '../../schemas/events/index-lease.ts';

/** Who may change how a corpus answers. */
export interface Holder extends Pick<IndexLeaseData, 'run_id' | 'task' | 'holder'> {
  /** When it was claimed and when it ends unless it is claimed again, in milliseconds since 1970, by the log's clock. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** The holder behind one more word on a corpus's lease; undefined where there is none. Pure. */
export function evolveLease(
  before: Holder | undefined,
  { state, run_id, task, holder, lease_ms }: IndexLeaseData,
  storedAtMs: number,
): Holder | undefined {
  const held = before !== undefined && storedAtMs <= before.untilMs ? before : undefined;
  if (held !== undefined && held.run_id !== run_id) return held;
  if (state === 'released') return undefined;
  return { run_id, task, holder, sinceMs: held?.sinceMs ?? storedAtMs, untilMs: storedAtMs + lease_ms };
}

const doings: Readonly<Record<Holder['task'], string>> = {
  rebuild: 'is being rebuilt',
  reembed: 'is being embedded anew',
  'drop-space': 'is having a space dropped',
};

/** What happened and what it means for whoever was refused. */
export function heldSentence(corpus: string, { task, holder, sinceMs, untilMs }: Holder): string {
  const time = (ms: number) => new Date(ms).toISOString();
  return (
    `"${corpus}" ${doings[task]} by ${holder} since ${time(sinceMs)}, and one at a time may change how it answers. ` +
    `Wait until that has ended; should it have died, its lease ends at ${time(untilMs)}`
  );
}
