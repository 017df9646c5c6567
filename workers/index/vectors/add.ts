import { z } from 'zod';
import { corpusSchema, limits } from '../../../schemas/primitives.ts';
import { issueSentence, ProblemError } from '../../../schemas/problems.ts';
import { parseRequestBytes } from '../../../schemas/requests/parse.ts';
import { vectorItemSchema } from '../../../schemas/requests/vectors.ts';
import { encodeVector, vectorFault, vectorFaultMessage } from '../../../schemas/vector.ts';
import type { ServiceHandler, ServiceRequest, ServiceResponse } from '../../../streams/service.ts';
import type { IndexEntry } from '../../corpus-index/catalogue.ts';
import { deadlineOf, reachPosition } from '../reached.ts';
import { createTurns, needIndex, type VectorsPorts } from './ports.ts';
import { sayDocuments } from './say.ts';

/** Items are checked one by one, so that a refusal names the one that it is about. */
const requestSchema = z.strictObject({
  name: corpusSchema,
  request: z.strictObject({
    items: z
      .array(z.unknown(), { error: 'is needed: [{"id": ..., "vector": [...], "metadata": {...}}]' })
      .min(1, { message: 'must hold at least one' })
      .max(limits.batchItemsMax),
  }),
});

interface Change {
  readonly id: string;
  readonly vector: string;
  readonly space: string;
  readonly metadata?: Record<string, unknown>;
}

/** `svc.vectors.add`: one event of all items, answered when all of them can be found here. */
export function addEndpoint(ports: VectorsPorts): Record<string, ServiceHandler> {
  return { 'svc.vectors.add': (request) => add(request, ports) };
}

async function add(request: ServiceRequest, ports: VectorsPorts): Promise<ServiceResponse> {
  const { connection, catalogue, waits, rejected, position } = ports;
  const wanted = parseRequestBytes(requestSchema, request.body);
  await reachPosition(request, connection.clock, ports.waitForPosition);
  const { name } = wanted;
  const changes = await checkItems(wanted.request.items, needIndex(name, catalogue), ports);
  const version = await sayDocuments(name, changes, request, ports);
  const ids = new Set(changes.map(({ id }) => id));
  const items = [...ids].map((id) => ({ corpus: name, id, version }));
  const left = await waits.settle(items, deadlineOf(request, connection.clock));
  const refused = rejected.ofVersion(version);
  if (refused !== undefined) throw new ProblemError('invalid_document', refused.message, { version });
  if (left.length > 0) {
    const detail = `${left.length} of ${ids.size} vectors can not be found yet; they are in the log (INGEST ${version}) and will be`;
    throw new ProblemError('deadline_passed', detail, { version });
  }
  return { body: JSON.stringify({ added: ids.size, version }), position: position() };
}

async function checkItems(items: readonly unknown[], entry: IndexEntry, ports: VectorsPorts): Promise<Change[]> {
  const turn = createTurns(ports);
  const changes: Change[] = [];
  for (const [row, item] of items.entries()) {
    changes.push(checkItem(item, row, entry));
    await turn();
  }
  return changes;
}

function checkItem(item: unknown, row: number, { space, index }: IndexEntry): Change {
  const parsed = vectorItemSchema.safeParse(item);
  if (!parsed.success) throw refusal(row, idOf(item), issueSentence(parsed.error));
  const { id, vector, metadata } = parsed.data;
  const { dimension } = index.space;
  const fault = vectorFault(vector, dimension);
  if (fault !== undefined) throw refusal(row, id, `vector: ${vectorFaultMessage(fault, vector, dimension)} (${space})`);
  return { id, vector: encodeVector(vector), space, ...(metadata == null ? {} : { metadata }) };
}

const idShownCharactersMax = 256;

function idOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || !('id' in item) || typeof item.id !== 'string') return undefined;
  return item.id.slice(0, idShownCharactersMax);
}

function refusal(row: number, id: string | undefined, reason: string): ProblemError {
  const named = id === undefined ? `item ${row}` : `item ${row} (id ${JSON.stringify(id)})`;
  const detail = `${named}: ${reason}; nothing was appended`;
  return new ProblemError('invalid_document', detail, { row, ...(id === undefined ? {} : { id }), reason });
}
