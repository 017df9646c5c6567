import { z } from 'zod';
import type { VectorData } from '../../../schemas/events/document.ts';
import { corpusSchema } from '../../../schemas/primitives.ts';
import { ProblemError } from '../../../schemas/problems.ts';
import { parseRequest, parseRequestBytes } from '../../../schemas/requests/parse.ts';
import { type VectorsMerged, vectorsMergeSchema } from '../../../schemas/requests/vectors.ts';
import { readNewest } from '../../../streams/append.ts';
import { startProjector } from '../../../streams/projector.ts';
import type { ServiceHandler, ServiceRequest } from '../../../streams/service.ts';
import { subjectOf } from '../../../streams/subjects.ts';
import type { IndexEntry } from '../../corpus-index/catalogue.ts';
import type { KnownDocument } from '../../corpus-index/corpus-index.ts';
import { dropFloor } from '../../documents/corpus-state.ts';
import { joinVectorStates } from '../../documents/vector-state.ts';
import { countingMetadata, outranks } from '../../registers/registers.ts';
import { deadlineOf, reachPosition } from '../reached.ts';
import { isAlive, needIndex, type VectorsPorts } from './ports.ts';
import { sayDocuments } from './say.ts';

/** Documents on their way at once, and the bytes of them that make one event, about. */
const pageDocuments = 128;
const eventBytesAim = 512 * 1024;
/** Whether something is outranked is looked for after so long, and again. */
const outrankedLookMs = 200;

const requestSchema = z.strictObject({ name: corpusSchema, request: z.unknown() });

/** A change that is said weakly, of one document. */
interface Weak {
  readonly id: string;
  readonly weak_after: number;
}

interface Merge {
  readonly source: IndexEntry;
  readonly dest: IndexEntry;
  readonly request: ServiceRequest;
  readonly signal: AbortSignal;
  readonly ports: VectorsPorts;
  readonly counts: { -readonly [Name in keyof VectorsMerged]: number };
}

/**
 * `svc.vectors.merge`: copies what is not in the destination, page by page, and takes it out of the source where that is
 * asked. Doing it again goes on where it stopped: what is there already is skipped.
 */
export function mergeEndpoint(ports: VectorsPorts): Record<string, ServiceHandler> {
  const { catalogue, connection, position } = ports;
  return {
    'svc.vectors.merge': async (request) => {
      const { name, request: asked } = parseRequestBytes(requestSchema, request.body);
      const { dest: destName, clear_source: clears } = parseRequest(vectorsMergeSchema, asked);
      await reachPosition(request, connection.clock, ports.waitForPosition);
      const source = needIndex(name, catalogue);
      const dest = needIndex(destName, catalogue, 'dest');
      refuseUnlike(source, dest);
      const counts = { merged: 0, skipped: 0, cleared: 0 };
      const merge: Merge = { source, dest, request, ports, counts, signal: deadlineOf(request, connection.clock) };
      const ids = [...source.index.ids()];
      for (let at = 0; at < ids.length; at += pageDocuments)
        await mergePage(ids.slice(at, at + pageDocuments), clears, merge);
      return { body: JSON.stringify(counts), position: position() };
    },
  };
}

function refuseUnlike(source: IndexEntry, dest: IndexEntry): void {
  const refuse = (detail: string) => new ProblemError('bad_request', detail, { field: 'dest' });
  if (source.corpus === dest.corpus) throw refuse(`"${dest.corpus}" can not be merged into itself`);
  const [from, into] = [source.index, dest.index];
  if (from.space.dimension !== into.space.dimension)
    throw refuse(
      `dimension: "${source.corpus}" has ${from.space.dimension} and "${dest.corpus}" has ${into.space.dimension}`,
    );
  if (source.space !== dest.space)
    throw new ProblemError(
      'space_mismatch',
      `"${source.corpus}" is in ${source.space} and "${dest.corpus}" in ${dest.space}: their vectors do not compare`,
      { field: 'dest' },
    );
  if (from.distance !== into.distance)
    throw refuse(`distance: "${source.corpus}" has ${from.distance} and "${dest.corpus}" has ${into.distance}`);
}

async function mergePage(ids: readonly string[], clears: boolean, merge: Merge): Promise<void> {
  const { source, dest, ports, counts } = merge;
  const { catalogue } = ports;
  const mergedBefore = counts.merged;
  const copied = await Promise.all(ids.map(async (id) => ({ id, data: await newestOf(id, source, ports) })));
  // In one go: what a put stands behind is the tombstone that is known at the very moment when no document was seen.
  const puts = copied.flatMap(({ id, data }) => {
    if (data?.content.value == null || isAlive(dest.corpus, id, catalogue)) return [];
    return [putOf(id, data, data.content.value, merge)];
  });
  for (const event of eventsOf(puts)) {
    const version = await sayWeakly(dest.corpus, event, merge);
    for (const { id } of event) if (contentVersion(id, dest.corpus, ports) === version) counts.merged++;
  }
  counts.skipped += ids.length - (counts.merged - mergedBefore);
  if (!clears) return;
  const deletions = copied.map(({ id, data }): Weak & { deleted: true } => ({
    id,
    deleted: true,
    // Behind what was copied: whatever is said of it from then on stays.
    weak_after: Math.max(data?.content.version ?? 0, data?.metadata.version ?? 0),
  }));
  await sayWeakly(source.corpus, deletions, merge);
  for (const { id } of deletions) if (!isAlive(source.corpus, id, catalogue)) counts.cleared++;
}

/** The state of a document as VECTORS has it: its newest message, unless that came behind a newer state. */
async function newestOf(
  id: string,
  { corpus, space, index }: IndexEntry,
  { connection, log }: VectorsPorts,
): Promise<VectorData | undefined> {
  const subject = subjectOf('lakehouse.vector', { space, corpus, key: id });
  const newest = await readNewest(connection, 'lakehouse.vector', subject);
  const known = index.lookup(id);
  if (newest === undefined || known === undefined || isAsNew(newest.data, known)) return newest?.data;
  let joined: VectorData = newest.data;
  const fold = startProjector({
    connection,
    log,
    stream: 'VECTORS',
    worker: 'index',
    checkpoint: 0,
    until: newest.sequence,
    filterSubject: subject,
    onlyLooks: true,
    handlers: {
      'lakehouse.vector': ({ data }) => {
        joined = joinVectorStates(joined, data) ?? joined;
      },
      'lakehouse.vector-corpus': () => undefined,
    },
  });
  await fold.finished;
  return joined;
}

function isAsNew({ content, metadata }: VectorData, known: KnownDocument): boolean {
  const counting = countingMetadata<{ version: number }>(content, metadata, () => content);
  return !outranks(known.content, content) && counting.version >= known.metadata.version;
}

/** Copied with its text, and with its vector, so that nothing is embedded again. */
function putOf(id: string, data: VectorData, value: NonNullable<VectorData['content']['value']>, merge: Merge) {
  const { dest, ports } = merge;
  const { content } = data;
  const own = () => ({ version: content.version, value: value.metadata ?? null });
  const metadata = countingMetadata(content, data.metadata, own).value;
  return {
    id,
    vector: value.vector,
    space: dest.space,
    ...(value.text === null ? {} : { text: value.text }),
    ...(metadata === null ? {} : { metadata }),
    // Behind the tombstone that is known here, or the drop: whatever was said since outranks it.
    weak_after: Math.max(dropFloor(ports.catalogue.corpusState(dest.corpus)), contentVersion(id, dest.corpus, ports)),
  };
}

function contentVersion(id: string, corpus: string, { catalogue }: VectorsPorts): number {
  const entries = catalogue.ofCorpus('documents', corpus, null);
  return Math.max(0, ...entries.map(({ index }) => index.lookup(id)?.content.version ?? 0));
}

/** Puts in a few events, none of them much larger than is aimed at. */
function* eventsOf<Put extends Weak & { vector: string; text?: string; metadata?: object }>(puts: readonly Put[]) {
  let event: Put[] = [];
  let bytes = 0;
  for (const put of puts) {
    event.push(put);
    bytes += put.vector.length + (put.text?.length ?? 0) + JSON.stringify(put.metadata ?? {}).length;
    if (bytes < eventBytesAim) continue;
    yield event;
    event = [];
    bytes = 0;
  }
  if (event.length > 0) yield event;
}

/**
 * Says it, and waits until each change can be found here or is known to be outranked, which it then stays.
 * @throws ProblemError `deadline_passed` with what was done so far
 */
async function sayWeakly(corpus: string, changes: readonly Weak[], merge: Merge): Promise<number> {
  const { request, signal, ports, counts } = merge;
  const version = await sayDocuments(corpus, changes, request, ports);
  const afterOf = new Map(changes.map(({ id, weak_after }) => [id, weak_after]));
  let left: readonly { corpus: string; id: string; version: number }[] = changes.map(({ id }) => ({
    corpus,
    id,
    version,
  }));
  while (left.length > 0) {
    left = await ports.waits.settle(left, AbortSignal.any([signal, AbortSignal.timeout(outrankedLookMs)]));
    const outranked = await Promise.all(
      left.map(({ id }) => isOutranked(corpus, id, { version, after: afterOf.get(id) }, ports)),
    );
    left = left.filter((_, place) => outranked[place] !== true);
    if (left.length === 0 || !signal.aborted) continue;
    const detail =
      'the deadline came before all was merged. What was copied is there; merge again, and it goes on from here';
    throw new ProblemError('deadline_passed', detail, { ...counts });
  }
  return version;
}

async function isOutranked(
  corpus: string,
  id: string,
  weak: { version: number; after: number | undefined },
  { connection }: VectorsPorts,
): Promise<boolean> {
  const subject = subjectOf('lakehouse.document', { corpus, key: id });
  const newest = await readNewest(connection, 'lakehouse.document', subject);
  return newest !== undefined && outranks(newest.data.content, weak);
}
