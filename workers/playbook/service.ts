import { z } from 'zod';
import { ProblemError } from '../../schemas/problems.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import {
  type BulkReply,
  type RecordRequest,
  recordRequestSchema,
  recordSlips,
  retractRequestSchema,
} from '../../schemas/requests/playbooks.ts';
import { type Appended, append, readNewest } from '../../streams/append.ts';
import type { ServiceHandler, ServiceRequest } from '../../streams/service.ts';
import { subjectOf } from '../../streams/subjects.ts';
import type { RuntimeConnection } from '../../streams/transport.ts';
import type { EmbedQueries } from '../query-vectors/embed-query.ts';
import { bulkReply, bulkRows, type PlaybookData, recordedPlaybook } from './record.ts';

export interface PlaybookPorts {
  readonly connection: RuntimeConnection;
  readonly embedQueries: EmbedQueries;
  /** The space that a corpus was told to answer in: its playbooks are recorded there. */
  readonly servingSpace?: (corpus: string) => string | undefined;
  /** A fresh id for each request: recording the same again is a new event. */
  readonly nextId: () => string;
}

const bulkEmbedTextsMax = 64;

/** The endpoints of the playbook worker. Every answer carries the position that shows what it did. */
export function playbookEndpoints(ports: PlaybookPorts): Record<string, ServiceHandler> {
  return {
    'svc.playbooks.record': async (request) => {
      const wanted = parseRequestBytes(recordRequestSchema, request.body, recordSlips);
      const [recorded] = await recordAll([wanted], request, ports);
      if (recorded === undefined) throw new Error('a recording came to nothing');
      const { playbook, appended } = recorded;
      return {
        body: JSON.stringify({ playbook_id: playbook.playbook_id }),
        position: { PLAYBOOKS: appended.sequence },
      };
    },
    'svc.playbooks.bulk': (request) => bulk(request, ports),
    'svc.playbooks.retract': (request) => retract(request, ports),
  };
}

async function recordAll(
  wanted: readonly RecordRequest[],
  request: ServiceRequest,
  ports: PlaybookPorts,
): Promise<{ playbook: PlaybookData; appended: Appended }[]> {
  const { connection, embedQueries, nextId } = ports;
  const { traceId, traceparent } = request;
  const deadlineMs = Math.max(1, request.deadlineAtMs - connection.clock.monotonicMs());
  const bySpace = new Map<string | undefined, number[]>();
  for (const [index, { answer_corpus }] of wanted.entries()) {
    const space = ports.servingSpace?.(answer_corpus);
    bySpace.set(space, [...(bySpace.get(space) ?? []), index]);
  }
  const recorded = new Map<number, PlaybookData>();
  for (const [wantedSpace, indices] of bySpace) {
    const texts = indices.map((index) => wanted[index]?.query_text ?? '');
    const cause = { deadlineMs, traceId, traceparent };
    const options = wantedSpace === undefined ? cause : { ...cause, space: wantedSpace };
    const { space, vectors } = await embedQueries(texts, options);
    for (const [at, index] of indices.entries()) {
      const [vector, one] = [vectors[at], wanted[index]];
      if (vector === undefined || one === undefined) throw new Error('fewer vectors than queries');
      recorded.set(index, recordedPlaybook(one, space, vector));
    }
  }
  const playbooks = wanted.map((_, index) => recorded.get(index)).filter((playbook) => playbook !== undefined);
  return Promise.all(
    playbooks.map(async (playbook) => {
      const tokens = { corpus: playbook.corpus, key: playbook.playbook_id };
      const options = { messageId: `playbook:${nextId()}`, source: 'playbook-worker', traceId, traceparent };
      return { playbook, appended: await append(connection, 'lakehouse.playbook', tokens, playbook, options) };
    }),
  );
}

async function bulk(request: ServiceRequest, ports: PlaybookPorts) {
  const rows = bulkRows(parseRequestBytes(z.unknown(), request.body));
  const results: BulkReply['results'] = [];
  const good: { index: number; request: RecordRequest }[] = [];
  for (const row of rows) {
    if ('error' in row) results.push(row);
    else good.push(row);
  }
  let last = 0;
  for (let at = 0; at < good.length; at += bulkEmbedTextsMax) {
    const part = good.slice(at, at + bulkEmbedTextsMax);
    try {
      const recorded = await recordAll(
        part.map((row) => row.request),
        request,
        ports,
      );
      recorded.forEach(({ playbook, appended }, offset) => {
        last = Math.max(last, appended.sequence);
        results.push({ index: part[offset]?.index ?? 0, playbook_id: playbook.playbook_id });
      });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      for (const { index } of part) results.push({ index, error: error.message });
    }
  }
  return { body: JSON.stringify(bulkReply(results)), ...(last === 0 ? {} : { position: { PLAYBOOKS: last } }) };
}

async function retract(request: ServiceRequest, ports: PlaybookPorts) {
  const { connection, nextId } = ports;
  const { traceId, traceparent } = request;
  const wanted = parseRequestBytes(retractRequestSchema, request.body);
  const { playbook_id, corpus } = wanted;
  const tokens = { corpus, key: playbook_id };
  const newest = await readNewest(connection, 'lakehouse.playbook', subjectOf('lakehouse.playbook', tokens));
  if (newest === undefined)
    throw new ProblemError('not_found', `no playbook ${playbook_id} was ever recorded in "${corpus}"`);
  const options = { messageId: `retract:${nextId()}`, source: 'playbook-worker', traceId, traceparent };
  const { sequence } = await append(connection, 'lakehouse.playbook-retracted', tokens, wanted, options);
  return { body: JSON.stringify({ playbook_id, retracted: true }), position: { PLAYBOOKS: sequence } };
}
