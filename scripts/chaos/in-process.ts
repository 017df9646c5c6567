import { setTimeout as delay } from 'node:timers/promises';
import { type StreamName, streamNames } from '../../schemas/catalog.ts';
import { appendBytes } from '../../streams/append.ts';
import { consumerLag } from '../../streams/moments.ts';
import { readStream } from '../../streams/read-stream.ts';
import { createInbox } from '../../streams/simulation/inbox.ts';
import type { SimulatedMessage, SimulatedStream } from '../../streams/simulation/simulated-log.ts';
import { startTestLog, type TestLog } from '../../streams/testing/test-log.ts';
import type { DeliveredMessage, RuntimeConnection } from '../../streams/transport.ts';
import { createMemoryStore } from '../../workers/corpus-index/testing/memory-store.ts';
import { corpus } from '../../workers/documents/testing/history.ts';
import { simulatedMutations } from '../simulation/mutations.ts';
import { type Acknowledged, checkEnd, createPrefixOracle, type LogView } from '../simulation/oracles.ts';
import type { Plan } from '../simulation/plan.ts';
import { type ProcessKind, type SimulatedProcess, startProcess } from '../simulation/processes.ts';
import type { Check, FaultContext } from './fault-row.ts';
import { check } from './oracles/check.ts';

/** Puts a message in front of a worker, now or later. */
export type Deliver = (message: DeliveredMessage) => void;

export interface InProcessOptions {
  readonly context: FaultContext;
  readonly plan: Plan;
  /** What becomes of each message that a reactor is given. */
  readonly onDelivery: (message: DeliveredMessage, deliver: Deliver) => Promise<void> | void;
}

/** The workers of the simulator over a real server, in this process, so that what they are given can be tampered with. */
export interface InProcess extends AsyncDisposable {
  readonly log: TestLog;
  readonly indexes: readonly NonNullable<SimulatedProcess['index']>[];
  /** Says everything of the plan in its order. */
  say(): Promise<void>;
  /** Waits until everything is worked on; false where that takes too long. */
  settle(): Promise<boolean>;
  /** Everything that has to hold now, by the oracles of the simulator. */
  checks(): Promise<Check[]>;
}

const ackWaitMs = 400;
const settleWithinMs = 60_000;
const lookEveryMs = 25;
const writtenAfterMsMax = 60;

export async function startInProcess({ context, plan, onDelivery }: InProcessOptions): Promise<InProcess> {
  const mutation = simulatedMutations.find(({ name }) => name === context.mutation);
  const log = await startTestLog();
  const store = createMemoryStore();
  const writtenAfterMs = () => (context.fault ? context.random.unit() * writtenAfterMsMax : 0);
  const acknowledged: Acknowledged[] = [];
  const members: { readonly name: string; readonly kind: ProcessKind; readonly process: SimulatedProcess }[] = [];
  const { ingest, embed, index } = plan.instances;
  for (const [kind, count] of Object.entries({ ingest, embed, playbook: 1, index }) as [ProcessKind, number][])
    for (let place = 0; place < count; place++) {
      const own = tampered(await log.connectAs(kind), onDelivery, writtenAfterMs);
      const transport = mutation?.transport?.(own.transport, kind) ?? own.transport;
      const process = await startProcess[kind]({
        connection: { ...own, transport },
        log: log.log,
        chance: context.random.unit,
        embedderAway: () => 0,
        store,
        instance: `${kind}-${place}`,
        joins: plan.joins,
        ackWaitMs: { ackWaitMs },
        breakIngest: mutation?.ingest ?? ((handlers) => handlers),
        checkpointAhead: 0,
      });
      members.push({ name: `${kind}-${place}`, kind, process });
    }
  const indexes = members.flatMap(({ process }) => (process.index === undefined ? [] : [process.index]));
  return {
    log,
    indexes,
    say: async () => {
      for (const [at, { event }] of plan.says.entries()) {
        const subject = `${event.kind === 'corpus' ? 'corpora' : 'ingest'}.${corpus}`;
        const text =
          event.kind === 'poison' ? event.payload : JSON.stringify(event.kind === 'corpus' ? event.change : event.said);
        const messageId = `said-${at}`;
        const { sequence } = await appendBytes(log.operator, subject, Buffer.from(text), { messageId });
        acknowledged.push({ stream: 'INGEST', messageId, sequence });
      }
    },
    settle: () => settle(log, indexes),
    checks: async () => {
      const view = await readView(log);
      const failures = await checkEnd({ log: view, members, acknowledged, plan, prefixes: createPrefixOracle(view) });
      const held = failures.length === 0;
      const seen = held ? `${acknowledged.length} events` : (failures[0] ?? '');
      return [check('H: the state is the fold of INGEST; L, P, and every rejection once', held, seen)];
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(members.map(({ process }) => process.stop()));
      await log[Symbol.asyncDispose]();
    },
  };
}

function tampered(
  connection: RuntimeConnection,
  onDelivery: InProcessOptions['onDelivery'],
  writtenAfterMs: () => number,
): RuntimeConnection {
  const take: RuntimeConnection['transport']['take'] = async (stream, durable, messagesMax) => {
    const taken = await connection.transport.take(stream, durable, messagesMax);
    const inbox = createInbox<DeliveredMessage>(() => {});
    const later = new Set<Promise<void>>();
    const pump = async () => {
      for await (const message of taken.messages) {
        const done = Promise.resolve(onDelivery(message, inbox.push));
        later.add(done);
        void done.finally(() => later.delete(done));
      }
      await Promise.all(later);
      inbox.end();
    };
    pump().catch((error: unknown) => inbox.end(error instanceof Error ? error : new Error(String(error))));
    return { ...taken, messages: inbox };
  };
  // Between what was read and what is written then somebody else has time to write.
  const publish: RuntimeConnection['transport']['publish'] = async (publication) => {
    await delay(writtenAfterMs());
    return connection.transport.publish(publication);
  };
  return { ...connection, transport: { ...connection.transport, take, publish } };
}

/** Nothing waits at a consumer, twice in a row, and every index has read as far as there is. */
async function settle({ operator }: TestLog, indexes: InProcess['indexes']): Promise<boolean> {
  const deadline = performance.now() + settleWithinMs;
  for (let quiet = 0; performance.now() < deadline; await delay(lookEveryMs)) {
    const lags = [await consumerLag(operator, 'INGEST', 'ingest'), await consumerLag(operator, 'DOCUMENTS', 'embed')];
    const ends = { VECTORS: await endOf(operator, 'VECTORS'), PLAYBOOKS: await endOf(operator, 'PLAYBOOKS') };
    const isRead = indexes.every(({ folds }) => {
      const { VECTORS = 0, PLAYBOOKS = 0 } = folds.position();
      return VECTORS >= ends.VECTORS && PLAYBOOKS >= ends.PLAYBOOKS;
    });
    const isDone = isRead && lags.every((lag) => lag !== undefined && lag.pending + lag.ackPending === 0);
    quiet = isDone ? quiet + 1 : 0;
    if (quiet === 2) return true;
  }
  return false;
}

async function endOf({ transport }: RuntimeConnection, stream: StreamName): Promise<number> {
  return (await transport.streamExtent(stream)).lastSequence;
}

/** Everything that lies in the log now, as the oracles read it. */
async function readView({ operator }: TestLog): Promise<LogView> {
  const streams = new Map<StreamName, SimulatedStream>();
  for (const name of streamNames) {
    const messages: SimulatedMessage[] = [];
    const bySubject = new Map<string, SimulatedMessage[]>();
    for await (const { sequence, subject, payload, messageId, storedAtMs } of readStream(operator, name)) {
      const message = { sequence, subject, payload, messageId, storedAtMs, headers: {}, gone: false };
      messages.push(message);
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), message]);
    }
    streams.set(name, { name, messages, bySubject });
  }
  const stream = (name: StreamName) => streams.get(name) ?? { name, messages: [], bySubject: new Map() };
  return { stream, message: (name, sequence) => stream(name).messages.find((one) => one.sequence === sequence) };
}
