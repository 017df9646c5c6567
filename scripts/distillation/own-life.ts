import type { LogConnection } from '../../streams/connection.ts';
import { type Gathered, gatherOwnLife } from '../../workers/distillation/own-life/gather.ts';

/** Who reports observations of this system itself: what others report is evidence. */
const ownSources: ReadonlySet<string> = new Set(['gateway', 'ingest', 'embed', 'index', 'playbook', 'observer']);

/** Brings this system's own life into EVIDENCE, so far as it has happened since the last time. */
export function gatherLife(connection: LogConnection): Promise<Gathered> {
  return gatherOwnLife(connection, ownSources);
}

export function gatheredText(gathered: Gathered): string {
  return Object.entries(gathered)
    .map(([stem, rows]) => `${rows} ${stem.replaceAll('_', ' ')}`)
    .join(', ');
}
