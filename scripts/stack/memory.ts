import { availableParallelism, totalmem } from 'node:os';
import type { gatewayName, StackWorker, serverName } from './plan.ts';

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
/** What nats-server has resident beside its Go runtime. */
const serverOutsideMiB = 64;

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
function serverRoom({ processors, memoryBytes }: Machine): number {
  const wanted = Math.max(serverRoomMiB.min, serverRoomMiB.perProcessor * processors);
  return Math.min(wanted, Math.floor((memoryBytes / mebibyte) * serverRoomPart));
}

/**
 * How nats-server's Go runtime collects, as environment variables; what `given` says goes first. It takes its room early and
 * keeps to it from then on, instead of growing with what happens to live.
 */
export function serverMemory(
  given: Readonly<Record<string, string | undefined>> = process.env,
  machine: Machine = thisMachine(),
): { readonly GOGC: string; readonly GOMEMLIMIT: string } {
  return {
    GOGC: given.GOGC || String(serverGarbagePercent),
    GOMEMLIMIT: given.GOMEMLIMIT || `${serverRoom(machine)}MiB`,
  };
}

/**
 * What each process may have resident at most, whatever waits to be worked on: well above what was seen under a
 * steady stream of changes (`reports/soak/ingest.md`). nats-server keeps what was written and read within seconds, about a
 * message id for each message of a duplicate window, and all of DOCUMENTS that changes at random: with more of that than
 * some hundred thousand documents it needs more. The index worker has no limit of its own: it grows with its documents.
 */
const residentLimitsMiB: Readonly<
  Record<typeof serverName | typeof gatewayName | Exclude<StackWorker, 'index'>, number>
> = {
  'nats-server': Math.max(640, serverRoom(thisMachine()) + serverOutsideMiB),
  gateway: 320,
  ingest: 320,
  embed: 640,
  playbook: 192,
  observer: 224,
};

/** Of the index worker, beside the vectors: itself, and its documents' ids, registers and metadata. */
const indexFixedMiB = 320;
const indexBytesPerDocument = 2_048;
/** Vectors as they are kept, with room for those that were replaced, the scan's codes and the graph. */
const indexVectorFactor = 2.2;

export interface HeldDocuments {
  readonly documents: number;
  readonly dimension: number;
}

/** What a process may have resident at most, in bytes. @param held what an index worker holds */
export function residentLimitBytes(name: keyof typeof residentLimitsMiB | 'index', held: HeldDocuments): number {
  if (name !== 'index') return residentLimitsMiB[name] * mebibyte;
  const { documents, dimension } = held;
  return indexFixedMiB * mebibyte + documents * (indexBytesPerDocument + indexVectorFactor * dimension * 4);
}
