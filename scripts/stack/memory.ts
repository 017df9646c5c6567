import type { gatewayName, StackWorker, serverName } from './plan.ts';
import { serverRoom } from './server-runtime.ts';

const mebibyte = 1024 * 1024;
/** What nats-server has resident beside its Go runtime. */
const serverOutsideMiB = 64;

/**
 * What each process may have resident at most, whatever waits to be worked on: well above what was seen under a
 * steady stream of changes (`reports/soak/ingest.md`). nats-server keeps what was written and read within seconds, about a
 * message id for each message of a duplicate window, and all of DOCUMENTS that changes at random: with more of that than
 * some hundred thousand documents it needs more. The index worker has no limit of its own: it grows with its documents.
 */
const residentLimitsMiB: Readonly<
  Record<typeof serverName | typeof gatewayName | Exclude<StackWorker, 'index'>, number>
> = {
  'nats-server': Math.max(640, serverRoom() + serverOutsideMiB),
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
