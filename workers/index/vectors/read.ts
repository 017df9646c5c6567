import { z } from 'zod';
import { corpusSchema } from '../../../schemas/primitives.ts';
import { ProblemError } from '../../../schemas/problems.ts';
import { pageQuerySchema } from '../../../schemas/requests/lookups.ts';
import { parseRequest, parseRequestBytes } from '../../../schemas/requests/parse.ts';
import { vectorsNameSchema, vectorsSearchSchema, vectorsSearchSlips } from '../../../schemas/requests/vectors.ts';
import { vectorFault, vectorFaultMessage } from '../../../schemas/vector.ts';
import type { ServiceHandler } from '../../../streams/service.ts';
import { pageOf } from '../lookups/page.ts';
import { reachPosition } from '../reached.ts';
import { describeIndex } from './declare.ts';
import { findIndex, needIndex, type VectorsPorts } from './ports.ts';

const searchSchema = z.strictObject({ name: corpusSchema, request: z.unknown() });

/** `svc.vectors.list`, `svc.vectors.info` and `svc.vectors.search`. */
export function readEndpoints(ports: VectorsPorts): Record<string, ServiceHandler> {
  const { catalogue, connection, position, waitForPosition } = ports;
  return {
    'svc.vectors.list': async (request) => {
      const page = parseRequestBytes(pageQuerySchema, request.body);
      await reachPosition(request, connection.clock, waitForPosition);
      const { rows, nextCursor } = pageOf(names(ports), page);
      const indexes = rows.map(({ id }) => describeIndex(needIndex(id, catalogue), ports));
      return { body: JSON.stringify({ indexes, next_cursor: nextCursor }), position: position() };
    },
    'svc.vectors.info': async (request) => {
      const { name } = parseRequestBytes(vectorsNameSchema, request.body);
      await reachPosition(request, connection.clock, waitForPosition);
      return { body: JSON.stringify(describeIndex(needIndex(name, catalogue), ports)), position: position() };
    },
    'svc.vectors.search': async (request) => {
      const { name, request: asked } = parseRequestBytes(searchSchema, request.body);
      const { vector, k } = parseRequest(vectorsSearchSchema, asked, vectorsSearchSlips);
      await reachPosition(request, connection.clock, waitForPosition);
      const { index, space } = needIndex(name, catalogue);
      const fault = vectorFault(vector, index.space.dimension);
      if (fault !== undefined && (fault !== 'vector_zero_norm' || index.distance === 'cosine'))
        throw new ProblemError(
          'invalid_vector',
          `vector: ${vectorFaultMessage(fault, vector, index.space.dimension)} (${space})`,
          { field: 'vector' },
        );
      const results = index.search(vector, k).map(({ id, distance, slot }) => {
        const json = index.metadataJson(slot);
        // Metadata goes into the answer as the text that it is kept as.
        return `{"id":${JSON.stringify(id)},"distance":${distance}${json === null ? '' : `,"metadata":${json}`}}`;
      });
      return { body: `{"results":[${results.join(',')}]}`, position: position() };
    },
  };
}

function* names({ catalogue }: VectorsPorts): Generator<{ id: string }> {
  const told = new Set<string>();
  for (const { kind, corpus, side } of catalogue.all()) {
    if (kind !== 'documents' || side !== null || told.has(corpus)) continue;
    told.add(corpus);
    if (findIndex(corpus, catalogue) !== undefined) yield { id: corpus };
  }
}
