import { append, appendBytes, OutageError } from '../../streams/append.ts';
import type { SimulatedConnection } from '../../streams/simulation/simulated-connection.ts';
import { corpus } from '../../workers/documents/testing/history.ts';
import { playbookId } from '../../workers/matrix/playbook-id.ts';
import type { SimulatedMutation } from './mutations.ts';
import { type Acknowledged, checkEnd, createPrefixOracle } from './oracles.ts';
import { makePlan, type Plan, playbookQueries } from './plan.ts';
import { besideSpaceText } from './processes.ts';
import { createWorld, type World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  /** False for the control: the same history, and nothing goes wrong. */
  readonly fault: boolean;
  readonly mutation?: SimulatedMutation | undefined;
  readonly tell?: ((line: string) => void) | undefined;
}

export interface RunResult {
  readonly seed: number;
  /** What did not hold; none where all is well. */
  readonly failures: readonly string[];
  readonly counts: {
    readonly events: number;
    readonly kills: number;
    readonly stops: number;
    readonly serverKills: number;
    readonly snapshots: number;
    readonly redelivered: number;
    readonly looks: number;
    readonly virtualMs: number;
  };
}

const hourMs = 3_600_000;
/** In this time everything is worked on when nothing goes wrong any more; it is many ack waits and backoffs. */
const settleMsMax = 2 * hourMs;

/** One history of a whole system, worked on under faults; then what has to hold is looked at. One seed, one history. */
export async function simulate({ seed, fault, mutation, tell }: RunOptions): Promise<RunResult> {
  const plan = makePlan(seed, fault);
  const world = createWorld(plan, mutation, tell);
  const failures: string[] = [];
  const acknowledged: Acknowledged[] = [];
  const { time, log, members } = world;
  const prefixes = createPrefixOracle(log);
  const doing = new Set<Promise<void>>();
  const begin = (work: Promise<void>) => {
    doing.add(work);
    void work.finally(() => doing.delete(work));
  };
  begin(produce(plan, world, acknowledged));
  let looks = 0;
  const lastMs = scheduleFaults(plan, world, {
    choose: (choice) => begin(choose(choice, world, acknowledged)),
    look: () => {
      looks++;
      begin(prefixes.look(members, failures));
    },
  });
  const isDone = () => doing.size === 0 && time.nowMs() > lastMs && log.isUp();
  const said = await time.run(isDone, 24 * hourMs);
  if (said !== 'over') failures.push(`what was to be said could not be said: ${said}`);
  world.heal();
  const settled = await time.run(() => isSettled(world), time.nowMs() + settleMsMax);
  if (settled === 'over') failures.push(...(await checkEnd({ log, members, acknowledged, plan, prefixes })));
  else failures.push(`work is left that nobody does (${settled}): ${whatIsLeft(world)}`);
  const redelivered = [...log.consumers()].reduce((sum, consumer) => sum + consumer.redelivered(), 0);
  const counts = { ...world.counts, events: plan.says.length, redelivered, looks, virtualMs: time.nowMs() };
  return { seed, failures, counts };
}

interface Doings {
  readonly choose: (choice: Plan['choices'][number]) => void;
  readonly look: () => void;
}

/** Returns when the last of them happens. */
function scheduleFaults(plan: Plan, world: World, { choose: make, look }: Doings): number {
  const { time, members } = world;
  let lastMs = 0;
  const at = (atMs: number, run: () => void) => {
    lastMs = Math.max(lastMs, atMs);
    time.after(atMs, run);
  };
  for (const choice of plan.choices) at(choice.atMs, () => make(choice));
  for (const atMs of plan.looks) at(atMs, look);
  for (const { atMs, process, downMs, kill } of plan.ends)
    at(atMs, () => (kill ? members[process]?.kill(downMs) : members[process]?.stop(downMs)));
  for (const { atMs, process, downMs } of plan.breaks)
    at(atMs, () => members[process]?.connection?.link.breakFor(downMs));
  for (const { atMs, downMs } of plan.serverKills) at(atMs, () => world.killServer(downMs));
  for (const { atMs, process, skewMs } of plan.clocks) at(atMs, () => world.setSkew(process, skewMs));
  return lastMs;
}

/** Says everything in its order, each until it is acknowledged. */
async function produce(plan: Plan, world: World, acknowledged: Acknowledged[]): Promise<void> {
  const connection = world.connect('producer');
  if (plan.heldBeside) {
    const data = { corpus, space: besideSpaceText, state: 'held', run_id: 'simulated' } as const;
    const options = { messageId: 'held', source: 'operator' };
    await insist(connection, () => append(connection, 'lakehouse.corpus-space', { corpus }, data, options));
  }
  for (const [at, { pauseMs, event }] of plan.says.entries()) {
    await connection.clock.sleep(pauseMs);
    const messageId = `said-${at}`;
    const subject = `${event.kind === 'corpus' ? 'corpora' : 'ingest'}.${corpus}`;
    const text =
      event.kind === 'poison' ? event.payload : JSON.stringify(event.kind === 'corpus' ? event.change : event.said);
    const payload = Buffer.from(text);
    const { sequence } = await insist(connection, () => appendBytes(connection, subject, payload, { messageId }));
    acknowledged.push({ stream: 'INGEST', messageId, sequence });
  }
}

async function insist<Answer>({ clock }: SimulatedConnection, attempt: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof OutageError)) throw error;
      await clock.sleep(1_000);
    }
  }
}

/** Somebody records or takes back a playbook; whoever is told that it did not work leaves it at that. */
async function choose(choice: Plan['choices'][number], world: World, acknowledged: Acknowledged[]): Promise<void> {
  const member = world.members.find(({ kind }) => kind === 'playbook');
  const { process, connection } = member ?? {};
  if (process?.playbooks === undefined || connection === undefined) return;
  const query_text = playbookQueries[choice.pick % playbookQueries.length] ?? '';
  const answer_id = `w-${1 + (choice.pick % 2)}`;
  const entry = { query_text, answer_id, answer_corpus: corpus, score: (choice.pick % 10) / 10 };
  const playbook_id = playbookId(query_text, answer_id, corpus);
  const [endpoint, body] = choice.retract
    ? ['svc.playbooks.retract', { playbook_id }]
    : ['svc.playbooks.record', entry];
  const { clock, link } = connection;
  const request = {
    body: Buffer.from(JSON.stringify(body)),
    position: {},
    traceId: undefined,
    traceparent: undefined,
    deadlineAtMs: clock.monotonicMs() + 10_000,
  };
  // A caller of a process that was killed waits no longer than its own deadline.
  const givenUp = new Promise<undefined>((resolve) => {
    world.time.after(60_000, () => resolve(undefined));
  });
  const answered = Promise.resolve(process.playbooks[endpoint]?.(request)).catch(() => undefined);
  const answer = await Promise.race([answered, givenUp]);
  const sequence = answer?.position?.PLAYBOOKS;
  if (sequence !== undefined && !link.isDead())
    acknowledged.push({ stream: 'PLAYBOOKS', messageId: undefined, sequence });
}

/** Nothing is left to work on, and every index has read as far as there is. */
function isSettled({ log, members }: World): boolean {
  if (!log.isUp()) return false;
  for (const consumer of log.consumers()) if (consumer.left() > 0) return false;
  return members.every(({ kind, process }) => {
    if (process === undefined) return false;
    if (kind !== 'index' || process.index === undefined) return true;
    const { VECTORS = 0, PLAYBOOKS = 0 } = process.index.folds.position();
    return VECTORS >= log.stream('VECTORS').messages.length && PLAYBOOKS >= log.stream('PLAYBOOKS').messages.length;
  });
}

function whatIsLeft({ log, members }: World): string {
  const consumers = [...log.consumers()].map(({ name, left }) => `${name} ${left()}`);
  const positions = members.map(
    ({ name, process }) =>
      `${name} ${process === undefined ? 'is not there' : JSON.stringify(process.index?.folds.position() ?? '')}`,
  );
  return [...consumers, ...positions].join('; ');
}
