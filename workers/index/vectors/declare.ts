import type { CorpusChange } from '../../../schemas/events/corpus.ts';
import { ProblemError } from '../../../schemas/problems.ts';
import { parseRequestBytes } from '../../../schemas/requests/parse.ts';
import {
  type VectorsInfo,
  vectorsCreateSchema,
  vectorsCreateSlips,
  vectorsNameSchema,
} from '../../../schemas/requests/vectors.ts';
import { parseSpace } from '../../../schemas/space.ts';
import { appendBytes, ConflictError, readNewestSequence } from '../../../streams/append.ts';
import type { ServiceHandler, ServiceRequest, ServiceResponse } from '../../../streams/service.ts';
import { subjectOf } from '../../../streams/subjects.ts';
import type { IndexEntry } from '../../corpus-index/catalogue.ts';
import { declarationOf } from '../../documents/corpus-state.ts';
import { deadlineOf, reachPosition } from '../reached.ts';
import { findIndex, needIndex, type VectorsPorts } from './ports.ts';

/** `svc.vectors.create` and `svc.vectors.drop`: answered when the index is there, or gone, here. */
export function declareEndpoints(ports: VectorsPorts): Record<string, ServiceHandler> {
  return {
    'svc.vectors.create': (request) => create(request, ports),
    'svc.vectors.drop': (request) => drop(request, ports),
  };
}

export function describeIndex({ corpus, space, index }: IndexEntry, { catalogue }: VectorsPorts): VectorsInfo {
  const { m, ef, efFixed } = index.parameters;
  return {
    name: corpus,
    dimension: index.space.dimension,
    space,
    distance: index.distance,
    m,
    ef_search: efFixed ? ef : (index.recall()?.ef ?? ef),
    count: index.size,
    declared: declarationOf(catalogue.corpusState(corpus)) !== undefined,
  };
}

/**
 * Declares the index where it is not there. Of two that create one name at once one meets a conflict: the declaration is
 * appended only if nothing was said of the corpus since it was looked for.
 */
async function create(request: ServiceRequest, ports: VectorsPorts): Promise<ServiceResponse> {
  const { connection, catalogue, position, waitForPosition } = ports;
  const wanted = parseRequestBytes(vectorsCreateSchema, request.body, vectorsCreateSlips);
  const { name, dimension, distance, m, ef_search, space = `vectors@${dimension}` } = wanted;
  if (parseSpace(space)?.dimension !== dimension)
    throw new ProblemError('bad_request', `dimension: is ${dimension}, and the space is ${space}`, {
      field: 'dimension',
    });
  await reachPosition(request, connection.clock, waitForPosition);
  const subject = subjectOf('lakehouse.corpus-change', { corpus: name });
  const last = await readNewestSequence(connection, 'INGEST', subject);
  await untilSaid(name, last, request, ports);
  if (findIndex(name, catalogue) !== undefined) throw alreadyThere(name);
  await say(name, { declared: { space, distance, m, ef_search } }, request, ports, last);
  return { body: JSON.stringify(describeIndex(needIndex(name, catalogue), ports)), position: position() };
}

async function drop(request: ServiceRequest, ports: VectorsPorts): Promise<ServiceResponse> {
  const { name } = parseRequestBytes(vectorsNameSchema, request.body);
  await reachPosition(request, ports.connection.clock, ports.waitForPosition);
  needIndex(name, ports.catalogue);
  await say(name, { dropped: true }, request, ports);
  return { body: JSON.stringify({ name, deleted: true }), position: ports.position() };
}

/** Says something of a corpus and waits until it holds here. */
async function say(
  corpus: string,
  change: CorpusChange,
  request: ServiceRequest,
  ports: VectorsPorts,
  lastSubjectSequence?: number,
): Promise<void> {
  const { connection, nextId } = ports;
  const subject = subjectOf('lakehouse.corpus-change', { corpus });
  const options = { messageId: `vectors:${nextId()}`, traceId: request.traceId, traceparent: request.traceparent };
  const payload = Buffer.from(JSON.stringify(change), 'utf8');
  const { sequence } = await appendBytes(connection, subject, payload, options, lastSubjectSequence).catch(
    (error: unknown) => {
      throw error instanceof ConflictError ? alreadyThere(corpus) : error;
    },
  );
  await untilSaid(corpus, sequence, request, ports);
}

async function untilSaid(
  corpus: string,
  version: number,
  request: ServiceRequest,
  { waits, rejected, connection }: VectorsPorts,
): Promise<void> {
  if (version === 0) return;
  const said = await waits.corpusSaid(corpus, version, deadlineOf(request, connection.clock));
  if (said || rejected.ofVersion(version) !== undefined) return;
  const detail = `what was said of "${corpus}" is in the log (INGEST ${version}) and was not read here before the deadline`;
  throw new ProblemError('deadline_passed', detail, { version });
}

function alreadyThere(name: string): ProblemError {
  return new ProblemError('already_exists', `there is an index "${name}" already`, { field: 'name' });
}
