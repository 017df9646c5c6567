import type { ServiceHandler } from '../../../streams/service.ts';
import { addEndpoint } from './add.ts';
import { declareEndpoints } from './declare.ts';
import { mergeEndpoint } from './merge.ts';
import type { VectorsPorts } from './ports.ts';
import { readEndpoints } from './read.ts';

/** `svc.vectors.*`: the vectors API. What it is told it says on INGEST, and answers when that can be found. */
export function vectorsEndpoints(ports: VectorsPorts): Record<string, ServiceHandler> {
  return {
    ...declareEndpoints(ports),
    ...readEndpoints(ports),
    ...addEndpoint(ports),
    ...mergeEndpoint(ports),
  };
}
