import type { RejectedData, RejectedResolvedData } from '../../schemas/events/rejected.ts';
import type { Position } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { type WaitReply, type WaitRequest, waitRequestSchema } from '../../schemas/requests/index.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceHandler } from '../../streams/service.ts';
import type { IndexCatalogue } from '../corpus-index/catalogue.ts';
import type { KnownDocument } from '../corpus-index/corpus-index.ts';
import { dropFloor, knowsOf } from '../documents/corpus-state.ts';
import type { Rejections } from './rejections.ts';

type Item = WaitRequest['items'][number];

export interface SearchableWaits {
  /** A document was folded: whoever waits for it is asked again. */
  onApplied(corpus: string, id: string): void;
  onRejected(rejected: RejectedData): void;
  /** Something that was said of a corpus was folded. */
  onCorpus(corpus: string): void;
  /** Resolves true when what was said of a corpus at `version` is folded, false when it was rejected or the signal aborts. */
  corpusSaid(corpus: string, version: number, signal: AbortSignal): Promise<boolean>;
  /** Waits until all can be found, or were rejected, or the signal aborts; resolves to those that are not. */
  settle(items: readonly Item[], signal: AbortSignal): Promise<readonly Item[]>;
  /** What was set aside took effect later: it is no longer told as rejected. */
  onResolved(resolved: RejectedResolvedData): void;
  /** `svc.index.wait`. */
  readonly endpoint: ServiceHandler;
}

/**
 * Waits until documents can be found at a version, or were rejected.
 * @param rejections whoever waits for one of these versions is told why it will not come
 * @param toldSpace the space that a corpus was told to answer in: there a document has to be known
 * @param position how far the state is folded, for the answer
 */
export function createSearchableWaits(
  catalogue: IndexCatalogue,
  rejections: Rejections,
  clock: Clock,
  position: () => Position,
  toldSpace: (corpus: string) => string | undefined = () => undefined,
): SearchableWaits {
  const waiters = new Map<string, Set<() => void>>();
  const keyOf = (corpus: string, id: string) => `${corpus} ${id}`;
  const rejectionKey = (version: number) => `${version}`;
  const corpusKey = (corpus: string) => `${corpus} `;
  const forget = (key: string, look: () => void) => {
    waiters.get(key)?.delete(look);
    if (waiters.get(key)?.size === 0) waiters.delete(key);
  };

  /**
   * In every space: one in which an older state still lives has not heard of it yet, though another has. A corpus that was
   * told where to answer has to have heard of it there. What a later drop has ended is settled too: it will not come, and
   * nothing of it is left to wait for.
   */
  const isSearchable = ({ corpus, id, version }: Item) => {
    if (dropFloor(catalogue.corpusState(corpus)) >= version) return true;
    const told = toldSpace(corpus);
    const entries = catalogue.ofCorpus('documents', corpus, null);
    const hasHeard = ({ content, metadata }: KnownDocument) => Math.max(content.version, metadata.version) >= version;
    const answering = entries.find(({ space, index }) => space === told && index.size > 0)?.index;
    const there = answering?.lookup(id);
    if (answering !== undefined && (there === undefined || !hasHeard(there))) return false;
    const known = entries.flatMap(({ index }) => index.lookup(id) ?? []);
    return known.some(hasHeard) && known.every((one) => one.content.hash === null || hasHeard(one));
  };
  const isRejected = ({ version }: Item) => rejections.ofVersion(version) !== undefined;
  const wake = (key: string) => {
    for (const waiter of [...(waiters.get(key) ?? [])]) waiter();
  };

  /** Calls back when the item can be found or was rejected; what it returns lets go of it. */
  const watch = (item: Item, onSettled: () => void): (() => void) => {
    const keys = [keyOf(item.corpus, item.id), rejectionKey(item.version)];
    const look = () => {
      if (isSearchable(item) || isRejected(item)) onSettled();
    };
    for (const key of keys) waiters.set(key, (waiters.get(key) ?? new Set()).add(look));
    return () => {
      for (const key of keys) forget(key, look);
    };
  };

  /** Resolves to those that are left when all are settled, or the signal aborts. */
  const settle = (items: readonly Item[], signal: AbortSignal): Promise<readonly Item[]> =>
    new Promise((resolve) => {
      const left = new Map<Item, () => void>();
      const finish = () => {
        signal.removeEventListener('abort', finish);
        for (const letGo of left.values()) letGo();
        resolve([...left.keys()]);
      };
      for (const item of items) {
        if (isSearchable(item) || isRejected(item)) continue;
        const onSettled = () => {
          left.get(item)?.();
          left.delete(item);
          if (left.size === 0) finish();
        };
        left.set(item, watch(item, onSettled));
      }
      signal.addEventListener('abort', finish, { once: true });
      if (left.size === 0 || signal.aborted) finish();
    });

  return {
    onApplied: (corpus, id) => {
      if (waiters.size > 0) wake(keyOf(corpus, id));
    },
    onRejected: (rejected) => {
      rejections.note(rejected);
      if (rejected.version !== null) wake(rejectionKey(rejected.version));
    },
    onResolved: ({ version, outcome }) => {
      if (version !== null && outcome === 'retried') rejections.forget(version);
    },
    onCorpus: (corpus) => {
      for (const key of [...waiters.keys()]) if (key.startsWith(`${corpus} `)) wake(key);
    },
    corpusSaid: (corpus, version, signal) =>
      new Promise((resolve) => {
        const keys = [corpusKey(corpus), rejectionKey(version)];
        const finish = (said: boolean) => {
          for (const key of keys) forget(key, look);
          signal.removeEventListener('abort', giveUp);
          resolve(said);
        };
        const giveUp = () => finish(false);
        const look = () => {
          if (knowsOf(catalogue.corpusState(corpus), version)) finish(true);
          else if (rejections.ofVersion(version) !== undefined || signal.aborted) finish(false);
        };
        for (const key of keys) waiters.set(key, (waiters.get(key) ?? new Set()).add(look));
        signal.addEventListener('abort', giveUp, { once: true });
        look();
      }),
    settle,
    endpoint: async (request) => {
      const { items } = parseRequestBytes(waitRequestSchema, request.body);
      const signal = AbortSignal.timeout(Math.max(1, Math.round(request.deadlineAtMs - clock.monotonicMs())));
      const left = (await settle(items, signal)).length;
      if (left > 0) {
        const detail = `${left} of ${items.length} documents are neither searchable nor rejected yet; they are in the log and will be`;
        throw new ProblemError('deadline_passed', detail, { searchable: items.length - left });
      }
      return { body: JSON.stringify(replyOf(items)), position: position() };
    },
  };

  function replyOf(items: readonly Item[]): WaitReply {
    const rejected = items.flatMap(({ id, version, ...item }) => {
      const rejection = rejections.ofVersion(version);
      return rejection === undefined || isSearchable({ id, version, ...item }) ? [] : [{ id, ...rejection }];
    });
    return { searchable: items.length - rejected.length, rejected };
  }
}
