import { decodeEvent } from '../../schemas/decode.ts';
import type { IndexLeaseData } from '../../schemas/events/index-lease.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { type Appended, append, ConflictError } from '../../streams/append.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import { readStream } from '../../streams/read-stream.ts';
import { subjectOf } from '../../streams/subjects.ts';
import { createTurns } from '../../streams/turns.ts';
import { evolveLease, type Holder, heldSentence } from './lease.ts';

export const leaseLimits = {
  /** A lease that was not claimed for so long is over: a process that died holds up nobody longer. */
  leaseMs: 60_000,
  /** So often it is claimed again. */
  renewEveryMs: 15_000,
  /** Others may speak on the subject in between, whose claims are void. */
  conflictsMax: 20,
  /** What was appended is there to be read, or the log is away. */
  readsMax: 50,
  readAgainMs: 100,
} as const;

export interface HoldOptions extends Pick<IndexLeaseData, 'corpus' | 'run_id' | 'task' | 'holder'> {
  readonly connection: LogConnection;
  readonly log: RuntimeLog;
  readonly leaseMs?: number;
}

/** The right to change how a corpus answers. */
export interface Lease {
  /**
   * Appends a word on the corpus in INDEXES, only while the lease is held: `publish` is given what the subject has to end
   * with, and may be called again.
   * @throws ProblemError where somebody else has it meanwhile: nothing was appended then
   */
  append(publish: (lastSubjectSequence: number) => Promise<Appended>): Promise<void>;
  /** Lets others have it. Never fails: it ends by itself too. */
  release(): Promise<void>;
}

/**
 * Claims a corpus for one change of how it answers, and claims it again until it is released. Claims are words in the log,
 * and what holds is what their order says: no clock of a process is asked, and of two at once the first one has it.
 * @throws ProblemError naming who has it, since when and until when
 */
export async function holdLease(options: HoldOptions): Promise<Lease> {
  const { connection, corpus, run_id, task, holder, log, leaseMs = leaseLimits.leaseMs } = options;
  const { clock } = connection;
  const turns = createTurns();
  const inTurn = <Result>(work: () => Promise<Result>) => turns.take(corpus, work);
  const ended = new AbortController();
  let words = 0;
  let last = 0;

  const speak = async (state: IndexLeaseData['state']): Promise<number> => {
    const data: IndexLeaseData = { corpus, state, run_id, task, holder, lease_ms: leaseMs };
    const messageId = `lease:${run_id}:${words++}`;
    const appended = await append(connection, 'lakehouse.index-lease', { corpus }, data, { messageId, source: task });
    return appended.sequence;
  };
  const read = async () => {
    const found = await readLease(connection, corpus, last);
    last = found.lastSequence;
    if (found.holder?.run_id !== run_id) throw refusal(corpus, found.holder);
  };
  const claim = async () => {
    last = await speak('claimed');
    await read();
  };
  // A first claim that was void, of one who has let go of it by the time it is looked at, is made once more.
  const acquire = async () => {
    for (let claims = 0; claims < leaseLimits.conflictsMax; claims++) {
      const found = await readLease(connection, corpus, await speak('claimed'));
      last = found.lastSequence;
      if (found.holder?.run_id === run_id) return;
      if (found.holder !== undefined) throw refusal(corpus, found.holder);
    }
    throw refusal(corpus, undefined);
  };

  await acquire();
  void (async () => {
    for (;;) {
      await clock.sleep(Math.min(leaseLimits.renewEveryMs, leaseMs / 4), ended.signal);
      if (ended.signal.aborted) return;
      await inTurn(claim).catch((error: unknown) =>
        log.warn({ error, corpus }, 'the lease could not be claimed again'),
      );
    }
  })();

  return {
    append: (publish) =>
      inTurn(async () => {
        for (let conflicts = 0; ; conflicts++) {
          await read();
          try {
            last = (await publish(last)).sequence;
            return;
          } catch (error) {
            if (!(error instanceof ConflictError) || conflicts >= leaseLimits.conflictsMax) throw error;
          }
        }
      }),
    release: () =>
      inTurn(async () => {
        ended.abort();
        await speak('released').catch((error: unknown) => log.warn({ error, corpus }, 'the lease ends by itself'));
      }),
  };
}

function refusal(corpus: string, holder: Holder | undefined): ProblemError {
  const why =
    holder === undefined
      ? `the lease on "${corpus}" ended before it was claimed again: this process was held up for too long; try again`
      : heldSentence(corpus, holder);
  return new ProblemError('already_exists', why);
}

/** Who holds a corpus behind all that INDEXES says of it, at least as far as `atLeast`. */
async function readLease(
  connection: LogConnection,
  corpus: string,
  atLeast: number,
): Promise<{ readonly holder: Holder | undefined; readonly lastSequence: number }> {
  for (let reads = 0; reads < leaseLimits.readsMax; reads++) {
    let holder: Holder | undefined;
    let lastSequence = 0;
    const filterSubject = subjectOf('lakehouse.index-lease', { corpus });
    for await (const { sequence, subject, payload, storedAtMs } of readStream(connection, 'INDEXES', {
      filterSubject,
    })) {
      lastSequence = sequence;
      const decoded = decodeEvent('INDEXES', payload, subject);
      if (decoded.ok && decoded.event.type === 'lakehouse.index-lease')
        holder = evolveLease(holder, decoded.event.data, storedAtMs);
    }
    // A replica that is behind answers too.
    if (lastSequence >= atLeast) return { holder, lastSequence };
    await connection.clock.sleep(leaseLimits.readAgainMs);
  }
  throw new ProblemError('unavailable', `INDEXES does not tell what was said on "${corpus}"; try again shortly`);
}
