import type { Position } from '../../../schemas/position.ts';
import { ProblemError } from '../../../schemas/problems.ts';
import { playbookRequestSchema, playbooksRequestSchema } from '../../../schemas/requests/lookups.ts';
import { parseRequestBytes } from '../../../schemas/requests/parse.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import { storedAtMs } from '../../../streams/moments.ts';
import type { ServiceHandler } from '../../../streams/service.ts';
import type { IndexCatalogue, IndexEntry } from '../../corpus-index/catalogue.ts';
import { reachPosition, type WaitForPosition } from '../reached.ts';
import type { LiftCounts } from './lift-counts.ts';
import { pageOf } from './page.ts';

export interface PlaybookLookupPorts {
  readonly catalogue: IndexCatalogue;
  readonly connection: LogConnection;
  readonly lifts: LiftCounts;
  /** The part of searches that is logged, so that their lifts are counted. */
  readonly sample: number;
  readonly position: () => Position;
  readonly waitForPosition: WaitForPosition;
}

/** `svc.index.playbooks` and `svc.index.playbook`: what is remembered, and what it has lifted. */
export function playbookLookups(ports: PlaybookLookupPorts): Record<string, ServiceHandler> {
  const { connection, position, waitForPosition } = ports;
  return {
    'svc.index.playbooks': async (request) => {
      const { corpus, ...page } = parseRequestBytes(playbooksRequestSchema, request.body);
      await reachPosition(request, connection.clock, waitForPosition);
      const { rows, nextCursor } = pageOf(recorded(entriesOf(corpus, ports)), page);
      const playbooks = rows.map(({ id, entry }) => rowOf(corpus, id, entry, ports));
      const reply = { playbooks, next_cursor: nextCursor, counted: counted(ports) };
      return { body: JSON.stringify(reply), position: position() };
    },
    'svc.index.playbook': async (request) => {
      const { corpus, id } = parseRequestBytes(playbookRequestSchema, request.body);
      await reachPosition(request, connection.clock, waitForPosition);
      const found = newestOf(entriesOf(corpus, ports), id);
      if (found === undefined)
        throw new ProblemError('not_found', `no playbook ${id} was ever recorded in "${corpus}"`);
      const row = rowOf(corpus, id, found, ports);
      const saidAtMs = await storedAtMs(connection, 'PLAYBOOKS', row.version);
      const state = row.entry === null ? 'retracted' : 'recorded';
      const said_at = saidAtMs === undefined ? null : new Date(saidAtMs).toISOString();
      const reply = { corpus, state, said_at, ...row, counted: counted(ports) };
      return { body: JSON.stringify(reply), position: position() };
    },
  };
}

/** @throws ProblemError `not_found` */
function entriesOf(corpus: string, { catalogue }: PlaybookLookupPorts): readonly IndexEntry[] {
  const entries = catalogue.ofCorpus('playbooks', corpus, null);
  if (entries.length === 0) throw new ProblemError('not_found', `there is no playbook corpus "${corpus}"`, { corpus });
  return entries;
}

/** A playbook that was recorded in two spaces is told once, as it was said last. */
function* recorded(entries: readonly IndexEntry[]): Generator<{ id: string; entry: IndexEntry }> {
  for (const entry of entries)
    for (const id of entry.index.ids()) if (newestOf(entries, id) === entry) yield { id, entry };
}

function newestOf(entries: readonly IndexEntry[], id: string): IndexEntry | undefined {
  let newest: { entry: IndexEntry; version: number } | undefined;
  for (const entry of entries) {
    const version = entry.index.lookup(id)?.content.version ?? 0;
    if (version > (newest?.version ?? 0)) newest = { entry, version };
  }
  return newest?.entry;
}

function rowOf(corpus: string, id: string, { space, index }: IndexEntry, { lifts }: PlaybookLookupPorts) {
  const known = index.lookup(id);
  const json = known?.content.hash == null ? null : known.metadata.json;
  return {
    playbook_id: id,
    space,
    version: known?.content.version ?? 0,
    // Written by this system's own playbook worker and checked when it was folded.
    entry: json === null ? null : (JSON.parse(json) as Record<string, unknown>),
    lifted: lifts.of(corpus, id),
  };
}

function counted({ lifts, sample }: PlaybookLookupPorts) {
  return { since: lifts.since(), sample };
}
