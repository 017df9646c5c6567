import { ProblemError } from '../../schemas/problems.ts';
import { parseSpace } from '../../schemas/space.ts';
import { vectorFault, vectorFaultMessage } from '../../schemas/vector.ts';

/** A query's vector that came with the request. @throws ProblemError `invalid_vector` where it is none of the space */
export function givenVector(vector: readonly number[], space: string): Float32Array {
  const given = Float32Array.from(vector);
  const dimension = parseSpace(space)?.dimension ?? 0;
  const fault = vectorFault(given, dimension);
  if (fault !== undefined)
    throw new ProblemError('invalid_vector', `query_vector: ${vectorFaultMessage(fault, given, dimension)} (${space})`);
  return given;
}
