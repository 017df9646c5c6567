import { LRUCache } from 'lru-cache';
import { ProblemError } from '../../schemas/problems.ts';
import { type IngestStatusReply, ingestedReplySchema } from '../../schemas/requests/ingest-status.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import type { PipelineWatch } from './pipeline-watch.ts';

/** Corpora whose last status is remembered, for the rate. */
const corporaRememberedMax = 1_000;
/** A rate over less says nothing. */
const rateOverMsMin = 500;

interface Remembered {
  readonly atMs: number;
  readonly events: number;
  readonly searchable: number | null;
}

/** Tells how far what was said to a corpus has come. @throws ProblemError */
export type AskIngestStatus = (corpus: string) => Promise<IngestStatusReply>;

export function createIngestStatus(
  watch: PipelineWatch,
  { client, clock }: Pick<GatewayDependencies, 'client' | 'clock'>,
  deadlineMs: number,
): AskIngestStatus {
  const before = new LRUCache<string, Remembered>({ max: corporaRememberedMax });
  return async (corpus) => {
    const body = Buffer.from(JSON.stringify({ corpus }), 'utf8');
    // Asked first: what it tells is older than the look that says how far all of it has come.
    const answer = await client.request('svc.index.ingested', body, { deadlineMs });
    const told = answer.status === 200 ? ingestedReplySchema.safeParse(JSON.parse(textOf(answer.body))) : undefined;
    if (told === undefined || !told.success)
      throw new ProblemError('unavailable', 'no index worker tells what was said to the corpus; try again shortly');
    const { accepted, rejected, documents } = told.data;
    const { ingest, embed, vectors } = await watch.look().catch(() => {
      throw new ProblemError('unavailable', 'the log does not tell how far it is; try again shortly');
    });
    const upTo = (mark: number | undefined) => (mark === undefined ? null : Math.min(mark, accepted.last_seq));
    const searchable = upTo(watch.watermarks.searchable());
    const now: Remembered = { atMs: clock.monotonicMs(), events: accepted.events, searchable };
    const rate = rateOf(before.get(corpus), now);
    if (rate !== null || !before.has(corpus)) before.set(corpus, now);
    return {
      corpus,
      accepted,
      rejected,
      documents,
      embedded_seq: upTo(watch.watermarks.embedded()),
      searchable_seq: searchable,
      lag: searchable === null ? null : accepted.last_seq - searchable,
      pending: {
        ingest: ingest.pending,
        embed: embed.pending,
        index: vectors.foldedTo === undefined ? null : Math.max(0, vectors.lastSequence - vectors.foldedTo),
      },
      rate,
    };
  };
}

function rateOf(before: Remembered | undefined, now: Remembered): IngestStatusReply['rate'] {
  if (before === undefined || now.atMs - before.atMs < rateOverMsMin) return null;
  const seconds = (now.atMs - before.atMs) / 1_000;
  const perSecond = (amount: number) => Math.round((amount / seconds) * 10) / 10;
  const { searchable } = before;
  return {
    accepted_per_second: perSecond(now.events - before.events),
    searchable_per_second:
      searchable === null || now.searchable === null ? null : perSecond(now.searchable - searchable),
    over_seconds: Math.round(seconds * 10) / 10,
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
