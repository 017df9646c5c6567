import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveredMessage } from '../../../streams/transport.ts';
import { makePlan, type Plan } from '../../simulation/plan.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { startInProcess } from '../in-process.ts';
import { check } from '../oracles/check.ts';

const events = { short: 120, long: 4_000 } as const;
/** Documents that are said twice, one word right behind the other, and never again: what is lost of these stays lost. */
const saidTwice = 80;
const overtakenMsMax = 60;
const givenBackMsMax = 50;
const givenBackPart = 0.25;
const ackLostPart = 0.1;

/** F7: messages overtake one another and come again, and several instances of each reactor work on them. */
export const outOfOrder: FaultRow = {
  fault: 'F7',
  title: 'redeliveries out of order, lost acks, and three instances of each reactor',
  passes: 'the state is the fold of INGEST in its order, in two index workers alike',
  mutations: [
    { name: 'versions-ignored', breaks: 'of two states of a document the one that arrives last wins' },
    { name: 'no-compare-and-set', breaks: 'what was read of a subject is not expected of it when it is written' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, scale, fault, random, report } = context;
  const made = makePlan(seed, false, events[scale]);
  const plan = { ...made, says: [...made.says, ...pairs()], heldBeside: false };
  const counts = { givenBack: 0, acksLost: 0, duplicatesDelivered: 0 };
  await using system = await startInProcess({
    context,
    plan: { ...plan, instances: { ingest: 3, embed: 3, index: 2 } },
    onDelivery: async (message, deliver) => {
      if (message.info.redeliveryCount > 1) counts.duplicatesDelivered++;
      if (!fault) return deliver(message);
      if (message.info.redeliveryCount === 1 && random.unit() < givenBackPart) {
        counts.givenBack++;
        return message.nak(random.unit() * givenBackMsMax);
      }
      await delay(random.unit() * overtakenMsMax);
      const isLost = message.info.redeliveryCount < 3 && random.unit() < ackLostPart;
      if (isLost) counts.acksLost++;
      deliver(isLost ? withoutAck(message) : message);
    },
  });
  await system.say();
  const settled = await system.settle();
  report(`${plan.says.length} events, ${counts.givenBack} given back, ${counts.acksLost} acks lost`);
  return {
    checks: [
      check('everything is worked on', settled, ''),
      // Without the fault a few do too: writers of one document meet, and who was slower is given its message once more.
      check('messages came again', !fault || counts.duplicatesDelivered > 0, `${counts.duplicatesDelivered} times`),
      ...(await system.checks()),
    ],
    counts: { documents: plan.says.length, ...counts },
  };
}

function pairs(): Plan['says'] {
  return Array.from({ length: saidTwice }, (_, at) => `pair-${at}`).flatMap((id) =>
    ['welder', 'line lead'].map((text) => ({ pauseMs: 0, event: { kind: 'document', said: { id, text } } as const })),
  );
}

function withoutAck(message: DeliveredMessage): DeliveredMessage {
  const { seq, subject, data, headers, info } = message;
  const nothing = () => {};
  return {
    seq,
    subject,
    data,
    headers,
    info,
    ack: nothing,
    term: nothing,
    working: nothing,
    nak: (ms) => message.nak(ms),
  };
}
