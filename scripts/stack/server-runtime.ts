import { availableParallelism, totalmem } from 'node:os';

const mebibyte = 1024 * 1024;

/**
 * Room of nats-server's Go runtime. What lives there follows the rate of writes, and that the processors: some 180 MiB at
 * three thousand changes a second on two of them. With less room than lives the collector runs without end, which takes a
 * third of the throughput.
 */
const serverRoomMiB = { perProcessor: 128, min: 256 };
/** The most that the room may be of the machine's memory, or of the container's. */
const serverRoomPart = 1 / 4;
/**
 * Garbage in percent of what lives, below that room: so much that the room is taken within seconds of work. Collecting more
 * often costs searches a fifth of their throughput; never collecting below it, what is idle would not be given back.
 */
const serverGarbagePercent = 1_000;
/**
 * Its part of the processors. Beside it run the processes that it connects, which need the rest; and a runtime that may use
 * all of them wakes threads to look for work at every message, only to find none.
 */
const serverProcessorsPart = 1 / 2;

interface Machine {
  readonly processors: number;
  readonly memoryBytes: number;
}

function thisMachine(): Machine {
  // Zero or more than there is where nothing bounds it.
  const bound = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return { processors: availableParallelism(), memoryBytes: Math.min(totalmem(), bound) };
}

/** In MiB. */
export function serverRoom({ processors, memoryBytes }: Machine = thisMachine()): number {
  const wanted = Math.max(serverRoomMiB.min, serverRoomMiB.perProcessor * processors);
  return Math.min(wanted, Math.floor((memoryBytes / mebibyte) * serverRoomPart));
}

/**
 * How nats-server's Go runtime works, as environment variables; what `given` says goes first. It takes its room early and
 * keeps to it from then on, instead of growing with what happens to live.
 */
export function serverRuntime(
  given: Readonly<Record<string, string | undefined>> = process.env,
  machine: Machine = thisMachine(),
): { readonly GOGC: string; readonly GOMEMLIMIT: string; readonly GOMAXPROCS: string } {
  return {
    GOGC: given.GOGC || String(serverGarbagePercent),
    GOMEMLIMIT: given.GOMEMLIMIT || `${serverRoom(machine)}MiB`,
    GOMAXPROCS: given.GOMAXPROCS || String(Math.ceil(machine.processors * serverProcessorsPart)),
  };
}
