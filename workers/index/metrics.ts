import type { Position } from '../../schemas/position.ts';
import type { IndexInfo } from '../../schemas/requests/index.ts';
import type { Clock } from '../../streams/clock.ts';
import { type Metrics, readGauge, type Sample } from '../../streams/telemetry/metrics.ts';
import type { IndexCatalogue, IndexEntry } from '../corpus-index/catalogue.ts';

/** Corpora and spaces come from producers: beyond so many series the smallest are told together, as `(others)`. */
export const indexSeriesMax = 200;
const others = '(others)';

export interface IndexMetricsPorts {
  readonly metrics: Metrics;
  readonly catalogue: IndexCatalogue;
  readonly clock: Clock;
  readonly position: () => Position;
  readonly newestSnapshot: () => IndexInfo['snapshot'];
  /** When the state digest was last worked out, on the monotonic clock; undefined where it never was. */
  readonly digestAtMs: () => number | undefined;
}

/** What an index worker holds, how far it has folded, and how old its snapshot and its digest are. */
export function tellOfIndexes(ports: IndexMetricsPorts): void {
  const { metrics, catalogue, clock } = ports;
  const live = (kind: IndexEntry['kind']) => () =>
    [...catalogue.all()].filter((one) => one.kind === kind && one.side === null);
  const labelNames = ['corpus', 'space'];
  readGauge(metrics, {
    name: 'lakehouse_index_documents',
    help: 'Documents that can be found',
    labelNames,
    read: () => indexSamples(live('documents')(), ({ index }) => index.size),
  });
  readGauge(metrics, {
    name: 'lakehouse_index_tombstones',
    help: 'Deleted documents, which are remembered so that nothing older comes back',
    labelNames,
    read: () => indexSamples(live('documents')(), ({ index }) => index.tombstones),
  });
  readGauge(metrics, {
    name: 'lakehouse_playbooks',
    help: 'Playbooks that can lift an answer',
    labelNames,
    read: () => indexSamples(live('playbooks')(), ({ index }) => index.size),
  });
  readGauge(metrics, {
    name: 'lakehouse_fold_sequence',
    help: 'The last sequence of a stream that is folded',
    labelNames: ['stream_name'],
    read: () => Object.entries(ports.position()).map(([stream_name, value]) => ({ labels: { stream_name }, value })),
  });
  readGauge(metrics, {
    name: 'lakehouse_snapshot_age_seconds',
    help: 'Since the newest snapshot of the indexes',
    read: () => snapshotAgeSeconds(ports.newestSnapshot(), clock),
  });
  readGauge(metrics, {
    name: 'lakehouse_index_digest_age_seconds',
    help: 'Since the state digest was last worked out (verify, rebuild --compare, /v1/index/digest)',
    read: () => {
      const at = ports.digestAtMs();
      return at === undefined ? undefined : (clock.monotonicMs() - at) / 1_000;
    },
  });
}

function snapshotAgeSeconds(snapshot: IndexInfo['snapshot'], clock: Clock): number | undefined {
  return snapshot === null ? undefined : (clock.nowMs() - Date.parse(snapshot.created_at)) / 1_000;
}

/** A sample for each index, the largest first; a bounded number, whatever producers make up. */
export function indexSamples(entries: readonly IndexEntry[], measure: (entry: IndexEntry) => number): Sample[] {
  const samples = entries.map((entry) => ({
    labels: { corpus: entry.corpus, space: entry.space },
    value: measure(entry),
  }));
  if (samples.length <= indexSeriesMax) return samples;
  samples.sort((one, other) => other.value - one.value);
  const rest = samples.slice(indexSeriesMax - 1).reduce((sum, { value }) => sum + value, 0);
  return [...samples.slice(0, indexSeriesMax - 1), { labels: { corpus: others, space: others }, value: rest }];
}
