import type { Position } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import {
  type DigestReply,
  type DigestRequest,
  digestRequestSchema,
  type IndexInfo,
} from '../../schemas/requests/index.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceHandler } from '../../streams/service.ts';
import type { IndexCatalogue, IndexEntry } from '../corpus-index/catalogue.ts';
import { isEmpty } from '../corpus-index/fold.ts';
import type { FoldGate } from '../corpus-index/gate.ts';
import { digestOfIndex } from '../corpus-index/index-digest.ts';
import type { Words } from './words.ts';

export interface InspectionPorts {
  readonly catalogue: IndexCatalogue;
  readonly gate: FoldGate;
  readonly position: () => Position;
  readonly instance: string;
  readonly isCaughtUp: () => boolean;
  readonly newestSnapshot: () => IndexInfo['snapshot'];
  readonly rebuiltBy: (entry: IndexEntry) => string | null;
  readonly clock: Clock;
  readonly words: Pick<Words, 'stats'>;
  /** Resolves false where the position is not reached before the signal aborts. */
  readonly waitForPosition: (wanted: Position, signal: AbortSignal) => Promise<boolean>;
}

export interface Inspection {
  readonly info: ServiceHandler;
  readonly digest: ServiceHandler;
  /** When the digest of all live indexes was last told, on the monotonic clock. */
  readonly digestAtMs: () => number | undefined;
}

/** `svc.index.info` and `svc.index.digest`: what one index worker holds, at the position that the answer carries. */
export function createInspection(ports: InspectionPorts): Inspection {
  const { catalogue, gate, position, instance } = ports;
  let digestAtMs: number | undefined;
  return {
    info: () => {
      const info: IndexInfo = {
        worker: instance,
        caught_up: ports.isCaughtUp(),
        position: { ...position() },
        indexes: [...catalogue.all()].map((entry) => describe(entry, ports)),
        snapshot: ports.newestSnapshot(),
        memory_rss_bytes: process.memoryUsage.rss(),
      };
      return { body: JSON.stringify(info), position: position() };
    },
    digest: async (request) => {
      const asked: DigestRequest =
        request.body.length === 0 ? {} : parseRequestBytes(digestRequestSchema, request.body);
      const remainingMs = Math.max(1, Math.round(request.deadlineAtMs - ports.clock.monotonicMs()));
      if (!(await ports.waitForPosition(request.position, AbortSignal.timeout(remainingMs))))
        throw new ProblemError('deadline_passed', 'the index did not reach the asked position before the deadline');
      const reply = await gate.whileHeld(() => digestAll(asked.corpus, ports));
      if (asked.corpus === undefined) digestAtMs = ports.clock.monotonicMs();
      return { body: JSON.stringify(reply), position: reply.position };
    },
    digestAtMs: () => digestAtMs,
  };

  async function digestAll(corpus: string | undefined, { isCaughtUp }: InspectionPorts): Promise<DigestReply> {
    if (!isCaughtUp()) throw new ProblemError('unavailable', 'the index has not caught up with the log yet');
    const at = { ...position() };
    const indexes: DigestReply['indexes'] = [];
    for (const entry of catalogue.all()) {
      if (entry.side !== null || (corpus !== undefined && entry.corpus !== corpus)) continue;
      const { kind, space, index } = entry;
      // As if it were not there: whether a drop leaves an empty index behind is nobody's state.
      if (isEmpty(index)) continue;
      const digest = await digestOfIndex(entry);
      indexes.push({ kind, corpus: entry.corpus, space, digest, live: index.size, tombstones: index.tombstones });
    }
    return { worker: instance, position: at, indexes };
  }
}

function describe(entry: IndexEntry, { catalogue, rebuiltBy, words }: InspectionPorts): IndexInfo['indexes'][number] {
  const { kind, corpus, space, side, index } = entry;
  const { graph, filterBytes } = index.stats();
  return {
    kind,
    corpus,
    space,
    side,
    serving: kind === 'playbooks' || catalogue.serving(corpus, side) === entry,
    live: index.size,
    tombstones: index.tombstones,
    graph,
    recall: recallOf(index),
    filter_bytes: filterBytes,
    rebuilt_by: rebuiltBy(entry),
    ...(kind === 'documents' && side === null ? { words: words.stats(entry) } : {}),
  };
}

function recallOf(index: IndexEntry['index']): IndexInfo['indexes'][number]['recall'] {
  const found = index.recall();
  if (found === undefined) return null;
  const { target, ef, recall: measured, queries, live } = found;
  return { target, ef, measured, queries, live };
}
