import type { Position } from '../../../schemas/position.ts';
import { type IngestedReply, ingestedRequestSchema } from '../../../schemas/requests/ingest-status.ts';
import { parseRequestBytes } from '../../../schemas/requests/parse.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import type { ServiceHandler } from '../../../streams/service.ts';
import { readNewestOf } from '../../../streams/stream-reader.ts';
import { subjectOf } from '../../../streams/subjects.ts';
import type { IndexCatalogue, IndexEntry } from '../../corpus-index/catalogue.ts';
import type { Rejections } from '../rejections.ts';
import { living } from './documents.ts';

export interface IngestedPorts {
  readonly catalogue: IndexCatalogue;
  readonly connection: LogConnection;
  readonly rejected: Rejections;
  readonly position: () => Position;
}

/** `svc.index.ingested`: what was said to one corpus, and how much of it was set aside. */
export function ingestedLookup(ports: IngestedPorts): Record<string, ServiceHandler> {
  const { catalogue, connection, rejected, position } = ports;
  return {
    'svc.index.ingested': async (request) => {
      const { corpus } = parseRequestBytes(ingestedRequestSchema, request.body);
      const newest = await readNewestOf(connection, 'INGEST', subjectOf('lakehouse.ingest', { corpus }));
      const reply: IngestedReply = {
        accepted: {
          events: newest?.messages ?? 0,
          last_seq: newest?.sequence ?? 0,
          last_at: newest === undefined ? null : new Date(newest.storedAtMs).toISOString(),
        },
        rejected: rejected.ofCorpus(corpus),
        documents: livingIn(catalogue.ofCorpus('documents', corpus, null)),
      };
      return { body: JSON.stringify(reply), position: position() };
    },
  };
}

function livingIn(entries: readonly IndexEntry[]): number {
  const filled = entries.filter(({ index }) => index.size > 0);
  if (filled.length <= 1) return filled[0]?.index.size ?? 0;
  let count = 0;
  for (const _ of living(filled)) count++;
  return count;
}
