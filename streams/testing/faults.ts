import type { EventName } from '../../schemas/catalog.ts';
import { append, appendIfNewer, OutageError, readNewest } from '../append.ts';
import type { LogConnection } from '../connection.ts';
import type { Decision, PlannedAppend } from '../reactor.ts';
import { subjectOf } from '../subjects.ts';

/** Numbers in [0, 1) that decide which fault happens; from a seed. */
export type Chance = () => number;

const delayMsMax = 30;

/**
 * Wraps a handler with what happens to messages: it is late, so that others overtake it; it fails before anything is
 * appended; or everything is appended and the ack is lost. In the last two cases the message comes again.
 */
export function withFaults<Event, Context>(
  handler: (event: Event, context: Context) => Decision | Promise<Decision>,
  connection: LogConnection,
  random: Chance,
): (event: Event, context: Context) => Promise<Decision> {
  return async (event, context) => {
    await connection.clock.sleep(random() * delayMsMax);
    if (random() < 0.15) throw new OutageError('unavailable', 'injected: the message is left before it is worked on');
    const decision = await handler(event, context);
    if (decision.kind !== 'append' || random() >= 0.25) return decision;
    for (const planned of decision.events) await appendPlanned(connection, planned);
    throw new OutageError('unavailable', 'injected: everything is appended and the ack is lost');
  };
}

async function appendPlanned<Name extends EventName>(
  connection: LogConnection,
  planned: PlannedAppend<Name>,
): Promise<void> {
  const options = { messageId: planned.messageId, source: 'test' };
  if ('decide' in planned) await appendIfNewer(connection, planned.name, planned.tokens, planned.decide, options);
  else await append(connection, planned.name, planned.tokens, planned.data, options);
}

/**
 * A test double of the guard: reads the newest and joins with it, but appends without expecting that nothing came in
 * between. What it does wrong is what the compare-and-set is for.
 */
export function withoutCompareAndSet<Event, Context>(
  handler: (event: Event, context: Context) => Decision | Promise<Decision>,
  connection: LogConnection,
  random: Chance,
): (event: Event, context: Context) => Promise<Decision> {
  return async (event, context) => {
    const decision = await handler(event, context);
    if (decision.kind !== 'append') return decision;
    for (const planned of decision.events) await appendUnguarded(connection, planned, random() * delayMsMax);
    return { kind: 'append', events: [] };
  };
}

async function appendUnguarded<Name extends EventName>(
  connection: LogConnection,
  planned: PlannedAppend<Name>,
  delayMs: number,
): Promise<void> {
  if (!('decide' in planned)) return appendPlanned(connection, planned);
  const { name, tokens, messageId, decide } = planned;
  const newest = await readNewest(connection, name, subjectOf(name, tokens));
  const data = decide(newest?.data);
  await connection.clock.sleep(delayMs);
  if (data !== undefined) await append(connection, name, tokens, data, { messageId, source: 'test' });
}
