import type { IndexInfo } from '../../schemas/requests/index.ts';
import type { StreamReplication } from '../../streams/inspect.ts';
import { alarmSentence } from '../../streams/stream-watch.ts';
import { formatBytes, formatCount, formatRate } from '../command/format.ts';
import { textTable } from '../command/table.ts';
import type { Asked, StackStatus } from './status.ts';
import type { StatusRates } from './status-rates.ts';

/** The status as tables for a terminal; with `rates` they have a column for what changes. */
export function statusText(status: StackStatus, rates?: StatusRates): string {
  const { gateway_url, nats_url, started_at } = status;
  const since = started_at === null ? '' : `, since ${started_at}`;
  return [
    `${status.ready ? 'Ready' : 'NOT ready'}: gateway ${gateway_url}, log ${nats_url ?? 'as LAKEHOUSE_NATS_URL says'}${since}`,
    processTable(status),
    status.log_failure === null ? streamTable(status, rates) : failureText('log', { failure: status.log_failure }),
    status.alarms.map((alarm) => `ALARM: ${alarmSentence(alarm)}`).join('\n'),
    consumerTable(status, rates),
    indexText(status),
    embedderText(status),
    rejectedText(status),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function processTable({ processes }: StackStatus): string {
  if (processes.length === 0) return '';
  const columns = [{ title: 'process' }, { title: 'pid', right: true }, { title: 'state' }];
  const rows = processes.map((one) => [
    one.name,
    one.pid === null ? '-' : String(one.pid),
    `${one.ready ? 'ready' : `not ready: ${one.reason ?? ''}`}${stallsText(one.stalls)}`,
  ]);
  return textTable(columns, rows);
}

/** Nothing where nothing stalled. */
function stallsText(stalls: number | null): string {
  return stalls === null || stalls === 0 ? '' : `; ${formatCount(stalls)} stalls, each taken up again`;
}

function streamTable({ streams, streams_missing }: StackStatus, rates: StatusRates | undefined): string {
  const replicated = streams.some(({ replication }) => replication !== null);
  const columns = [
    { title: 'stream' },
    { title: 'messages', right: true },
    { title: 'last', right: true },
    { title: 'size', right: true },
    { title: 'limit', right: true },
    { title: 'full', right: true },
    ...(replicated ? [{ title: 'replicas' }] : []),
    ...rateColumn(rates),
  ];
  const rows = streams.map(({ name, messages, lastSequence, bytes, bytesMax, replication }) => [
    name,
    formatCount(messages),
    formatCount(lastSequence),
    formatBytes(bytes),
    formatBytes(bytesMax),
    `${((100 * bytes) / bytesMax).toFixed(1)} %`,
    ...(replicated ? [replicationText(replication)] : []),
    ...rateCell(rates?.appended, name),
  ]);
  return textTable(columns, [...rows, ...streams_missing.map((name) => [name, 'missing'])]);
}

/** `3 of 3, led by lakehouse-...-2`: how many hold all of it, and who takes appends. */
function replicationText(replication: StreamReplication | null): string {
  if (replication === null) return '1 of 1';
  const { leader, followers } = replication;
  const current = followers.filter((one) => one.current && !one.offline).length + (leader === null ? 0 : 1);
  return `${current} of ${followers.length + 1}, ${leader === null ? 'NO LEADER' : `led by ${leader}`}`;
}

/** Nothing where nothing is known of rates, and so in the rows. */
function rateColumn(rates: StatusRates | undefined) {
  return rates === undefined ? [] : [{ title: 'rate', right: true }];
}

function rateCell(rates: ReadonlyMap<string, number> | undefined, name: string): string[] {
  const rate = rates?.get(name);
  return rate === undefined || rate === 0 ? [] : [formatRate(rate)];
}

function consumerTable({ streams }: StackStatus, rates: StatusRates | undefined): string {
  const columns = [
    { title: 'consumer' },
    { title: 'of' },
    { title: 'waiting', right: true },
    { title: 'in work', right: true },
    { title: 'redelivered', right: true },
    ...rateColumn(rates),
  ];
  const rows = streams.flatMap(({ name: stream, consumers }) =>
    consumers.map(({ name, pending, ackPending, redelivered }) => [
      name,
      stream,
      ...[pending, ackPending, redelivered].map(formatCount),
      ...rateCell(rates?.waiting, name),
    ]),
  );
  return rows.length === 0 ? '' : textTable(columns, rows);
}

function indexText({ index }: StackStatus): string {
  if (!('answer' in index)) return failureText('index', index);
  const columns = [
    { title: 'index' },
    { title: 'space' },
    { title: 'live', right: true },
    { title: 'deleted', right: true },
    { title: 'search' },
    { title: 'name' },
  ];
  const { indexes, worker, memory_rss_bytes, caught_up } = index.answer;
  const rows = indexes.map((one) => [
    one.kind === 'playbooks' ? `${one.corpus} (playbooks)` : one.corpus,
    one.space,
    formatCount(one.live),
    formatCount(one.tombstones),
    searchText(one),
    one.side ?? (one.serving ? 'live' : 'joining'),
  ]);
  const lag = caught_up ? 'caught up' : 'catching up';
  return `${textTable(columns, rows)}\n${worker}: ${lag}, ${formatBytes(memory_rss_bytes)} resident`;
}

function searchText({ graph, recall }: IndexInfo['indexes'][number]): string {
  if (!graph) return 'exact';
  return recall === null ? 'graph' : `graph, ef ${recall.ef}, recall ${recall.measured.toFixed(3)}`;
}

function embedderText({ embedder }: StackStatus): string {
  if (!('answer' in embedder)) return failureText('embedder', embedder);
  const { embedder: kind, space, hits, misses, size } = embedder.answer;
  return `embedder: ${kind}, ${space}; cache: ${formatCount(size)} texts, ${formatCount(hits)} hits, ${formatCount(misses)} misses`;
}

/** Nothing where everything that was set aside is settled. */
function rejectedText({ rejected }: StackStatus): string {
  if (!('answer' in rejected)) return failureText('observer', rejected);
  const { open, by_reason } = rejected.answer;
  if (open === 0) return '';
  const reasons = Object.entries(by_reason)
    .map(([reason, { waiting, retrying }]) => ({ reason, count: waiting + retrying }))
    .filter(({ count }) => count > 0)
    .map(({ reason, count }) => `${formatCount(count)} ${reason}`);
  return `set aside: ${reasons.join(', ')}; see "lakehouse rejected list"`;
}

function failureText(what: string, asked: Extract<Asked<unknown>, { failure: string }>): string {
  return `${what}: does not answer: ${asked.failure}`;
}
