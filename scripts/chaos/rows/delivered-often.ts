import { setTimeout as delay } from 'node:timers/promises';
import { appendBytes } from '../../../streams/append.ts';
import { nanos } from '../../../streams/durations.ts';
import { readStream } from '../../../streams/read-stream.ts';
import { isEmpty } from '../../../workers/corpus-index/fold.ts';
import { digestOfIndex } from '../../../workers/corpus-index/index-digest.ts';
import type { Said } from '../../../workers/documents/testing/history.ts';
import { makePlan, type Plan } from '../../simulation/plan.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { type InProcess, startInProcess } from '../in-process.ts';
import { check } from '../oracles/check.ts';

const events = { short: 80, long: 3_000 } as const;
/** The least that the server allows. */
const windowMs = 100;
const copyWithinMs = 150;

/** F6: everything comes two times and three times, and the whole of INGEST is said again. */
export const deliveredOften: FaultRow = {
  fault: 'F6',
  title: 'every message delivered twice or three times, and the whole of INGEST published again behind its window',
  passes: 'the state is that of one delivery; said again, its values are the same and its versions have risen',
  mutations: [{ name: 'versions-ignored', breaks: 'of two states of a document the one that arrives last wins' }],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, scale, fault, random, report } = context;
  const plan = plainWords(makePlan(seed, false, events[scale]));
  let copies = 0;
  await using system = await startInProcess({
    context,
    plan: { ...plan, instances: { ingest: 2, embed: 2, index: 1 } },
    onDelivery: async (message, deliver) => {
      deliver(message);
      if (!fault) return;
      for (let copy = 0; copy < 1 + (message.seq % 2); copy++) {
        await delay(random.unit() * copyWithinMs);
        copies++;
        deliver(message);
      }
    },
  });
  await system.say();
  const checks = [check('everything is worked on', await system.settle(), ''), ...(await system.checks())];
  report(`${plan.says.length} events, ${copies} copies delivered`);
  const values = await digests(system, true);
  const versions = await digests(system, false);
  const again = fault ? await publishAgain(system) : 0;
  checks.push(
    check('everything that was said again is worked on', await system.settle(), `${again} events`),
    check('H: the values are the same', values === (await digests(system, true)), `${values.slice(0, 16)}`),
    check(
      'the versions have risen where it was said again',
      fault === (versions !== (await digests(system, false))),
      '',
    ),
  );
  return { checks, counts: { documents: plan.says.length, duplicatesDelivered: copies, publishedAgain: again } };
}

/** A word that stands behind a sequence means something else when it is said again; so does a drop. */
function plainWords(plan: Plan): Plan {
  const plain = (said: Said): Said => ('items' in said ? { items: said.items.map(plainItem) } : plainItem(said));
  const plainItem = <Item extends object>(item: Item): Item => {
    const { weak_after: _, ...rest } = item as Item & { weak_after?: number };
    return rest as Item;
  };
  const says = plan.says.flatMap((one) =>
    one.event.kind === 'corpus'
      ? []
      : [one.event.kind === 'document' ? { ...one, event: { ...one.event, said: plain(one.event.said) } } : one],
  );
  return { ...plan, says, heldBeside: false };
}

async function publishAgain({ log: { operator } }: InProcess): Promise<number> {
  const { streams } = operator.manager;
  const { config } = await streams.info('INGEST');
  await streams.update('INGEST', { ...config, duplicate_window: nanos(windowMs) });
  await delay(2 * windowMs);
  const all: { subject: string; payload: Uint8Array; messageId: string }[] = [];
  for await (const { subject, payload, messageId } of readStream(operator, 'INGEST'))
    all.push({ subject, payload, messageId });
  for (const { subject, payload, messageId } of all) await appendBytes(operator, subject, payload, { messageId });
  return all.length;
}

async function digests({ indexes }: InProcess, withoutVersions: boolean): Promise<string> {
  const lines: string[] = [];
  for (const { catalogue } of indexes)
    for (const entry of catalogue.all())
      if (entry.index.size > 0 && !isEmpty(entry.index))
        lines.push(`${entry.kind} ${entry.corpus} ${entry.space} ${await digestOfIndex(entry, { withoutVersions })}`);
  return lines.sort().join(' ');
}
