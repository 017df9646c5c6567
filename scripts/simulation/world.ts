import type { Clock } from '../../streams/clock.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { ObjectStore } from '../../streams/object-store.ts';
import { createSimulatedConnection, type SimulatedConnection } from '../../streams/simulation/simulated-connection.ts';
import { type LinkFaults, noFaults } from '../../streams/simulation/simulated-link.ts';
import { createSimulatedLog, type SimulatedLog } from '../../streams/simulation/simulated-log.ts';
import { createVirtualClock, createVirtualTime, type VirtualTime } from '../../streams/simulation/virtual-time.ts';
import { quietTelemetry } from '../../streams/telemetry/telemetry.ts';
import { createMemoryStore } from '../../workers/corpus-index/testing/memory-store.ts';
import { createRandom } from '../random.ts';
import type { SimulatedMutation } from './mutations.ts';
import type { Plan } from './plan.ts';
import { type ProcessKind, type SimulatedProcess, startProcess } from './processes.ts';

/** One process of a world: there, or gone and about to be started again. */
export interface Member {
  readonly kind: ProcessKind;
  readonly name: string;
  connection: SimulatedConnection | undefined;
  /** Undefined while it is starting. */
  process: SimulatedProcess | undefined;
  kill(downMs: number): void;
  stop(downMs: number): void;
}

export interface World {
  readonly time: VirtualTime;
  readonly log: SimulatedLog;
  readonly members: readonly Member[];
  /** A connection of somebody who is not a member, such as a producer. */
  connect(name: string): SimulatedConnection;
  killServer(downMs: number): void;
  setSkew(process: number, skewMs: number): void;
  /** From now on nothing goes wrong any more. */
  heal(): void;
  readonly counts: { kills: number; stops: number; serverKills: number; snapshots: number };
  trace(line: () => string): void;
}

const startMs = Date.parse('2026-11-21T08:00:00Z');
/** Somebody starts a process again that could not start. */
const restartMs = 500;
const snapshotEveryMsMax = 60_000;
const storeMsMax = 30;
// Nobody reads it: one for all runs.
const telemetry = quietTelemetry();

export function createWorld(
  plan: Plan,
  mutation: SimulatedMutation | undefined,
  tell: ((line: string) => void) | undefined,
): World {
  const time = createVirtualTime();
  const chance = createRandom(plan.seed, 22).unit;
  const skews = new Map<number, number>();
  const counts = { kills: 0, stops: 0, serverKills: 0, snapshots: 0 };
  const connections = new Set<SimulatedConnection>();
  let faults: LinkFaults = plan.faults;
  let embedderAway = plan.embedderAway;
  let healed = false;
  const trace = (line: () => string) => tell?.(`${(time.nowMs() / 1_000).toFixed(3).padStart(9)} s  ${line()}`);
  const log = createSimulatedLog({ time, chance, trace, wallMs: () => startMs + time.nowMs() + (skews.get(-1) ?? 0) });

  const connect = (place: number, wrap: (connection: SimulatedConnection) => SimulatedConnection) => {
    const clockOf = (isDead: () => boolean) =>
      createVirtualClock(time, { startMs, isDead, skewMs: () => skews.get(place) ?? 0 });
    const options = { time, log, chance, faults: () => faults, clockOf, telemetry };
    const connection = wrap(createSimulatedConnection(options));
    connections.add(connection);
    return connection;
  };
  const store = createMemoryStore();

  const createMember = (kind: ProcessKind, name: string, place: number): Member => {
    let lives = 0;
    const broken = (connection: SimulatedConnection): SimulatedConnection => {
      const transport = mutation?.transport?.(connection.transport, kind);
      return transport === undefined ? connection : { ...connection, transport };
    };
    const start = async () => {
      const connection = connect(place, broken);
      member.connection = connection;
      const instance = `${name}-${++lives}`;
      const ports = {
        connection,
        log: logOf(name, trace),
        chance,
        embedderAway: () => embedderAway,
        joins: plan.joins,
        store: slowStore(store, connection.clock, chance),
        instance,
        breakIngest: mutation?.ingest ?? ((handlers) => handlers),
        checkpointAhead: mutation?.checkpointAhead ?? 0,
      } satisfies Parameters<(typeof startProcess)['index']>[0];
      try {
        const process = await startProcess[kind](ports);
        member.process = process;
        trace(() => `${name} is started`);
        if (process.index !== undefined) void takeSnapshots(process.index, connection, chance, counts);
      } catch (error) {
        trace(() => `${name} could not start: ${error}`);
        end(restartMs);
      }
    };
    const end = (downMs: number) => {
      const { connection } = member;
      if (connection === undefined) return;
      connection.link.kill();
      connections.delete(connection);
      member.connection = undefined;
      member.process = undefined;
      time.after(downMs, () => void start());
    };
    const member: Member = {
      kind,
      name,
      connection: undefined,
      process: undefined,
      kill: (downMs) => {
        if (healed || member.connection === undefined) return;
        counts.kills++;
        trace(() => `${name} is killed`);
        end(downMs);
      },
      stop: (downMs) => {
        const { process, connection } = member;
        if (healed || process === undefined) return;
        counts.stops++;
        trace(() => `${name} is told to stop`);
        void process.stop().then(() => {
          if (member.connection === connection) end(downMs);
        });
      },
    };
    void start();
    return member;
  };
  const { ingest, embed, index } = plan.instances;
  const kinds: readonly ProcessKind[] = [
    ...Array<ProcessKind>(ingest).fill('ingest'),
    ...Array<ProcessKind>(embed).fill('embed'),
    'playbook',
    ...Array<ProcessKind>(index).fill('index'),
  ];
  return {
    time,
    log,
    members: kinds.map((kind, place) => createMember(kind, `${kind}-${place}`, place)),
    connect: () => connect(kinds.length, (connection) => connection),
    killServer: (downMs) => {
      if (healed || !log.isUp()) return;
      counts.serverKills++;
      log.kill();
      for (const { link } of connections) link.breakFor(0);
      time.after(downMs, () => log.start());
    },
    setSkew: (process, wantedMs) => {
      // The server's jumps back only: ahead of its window, ids are forgotten that a retry still needs.
      const skewMs = process < 0 ? Math.min(wantedMs, skews.get(process) ?? 0) : wantedMs;
      trace(() => `the clock of process ${process} is off by ${Math.round(skewMs / 1_000)} s`);
      skews.set(process, skewMs);
    },
    heal: () => {
      healed = true;
      faults = noFaults;
      embedderAway = 0;
      trace(() => 'nothing goes wrong from here on');
    },
    counts,
    trace,
  };
}

async function takeSnapshots(
  { snapshots }: NonNullable<SimulatedProcess['index']>,
  { clock, link }: SimulatedConnection,
  chance: () => number,
  counts: World['counts'],
): Promise<void> {
  const request = { body: new Uint8Array(), position: {}, traceId: undefined, traceparent: undefined, deadlineAtMs: 0 };
  while (!link.isDead()) {
    await clock.sleep(chance() * snapshotEveryMsMax);
    const before = snapshots.newest()?.key;
    // One that could not be taken is taken the next time.
    await Promise.resolve(snapshots.endpoint(request)).catch(() => undefined);
    if (snapshots.newest()?.key !== before) counts.snapshots++;
  }
}

function logOf(name: string, trace: World['trace']): RuntimeLog {
  const say = (fields: object, message: string) =>
    trace(() => {
      const told = Object.entries(fields).map(([field, value]) => `${field} ${String(value)}`);
      return `${name}: ${message} (${told.join(', ')})`;
    });
  return { debug: say, info: say, warn: say, error: say };
}

/** A store that takes time, so that a process can be killed while it writes. */
function slowStore(store: ObjectStore, clock: Clock, chance: () => number): ObjectStore {
  const wait = () => clock.sleep(chance() * storeMsMax);
  return {
    ...store,
    put: (key, body) =>
      store.put(
        key,
        (async function* () {
          for await (const piece of body) {
            await wait();
            yield piece;
          }
        })(),
      ),
    readBack: async (key) => {
      await wait();
      return store.readBack(key);
    },
  };
}
