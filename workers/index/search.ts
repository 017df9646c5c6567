import { LRUCache } from 'lru-cache';
import type { Position } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { type SearchRequest, searchRequestSchema, searchSlips } from '../../schemas/requests/matrix.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import { parseSpace } from '../../schemas/space.ts';
import { vectorFault, vectorFaultMessage } from '../../schemas/vector.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceHandler, ServiceRequest, ServiceResponse } from '../../streams/service.ts';
import { type IndexCatalogue, type IndexEntry, indexesToSearch } from '../corpus-index/catalogue.ts';
import type { Query } from '../corpus-index/corpus-index.ts';
import { createJudge } from '../matrix/judge.ts';
import { rank, rankWithJudge } from '../matrix/rank.ts';
import { resultJson } from '../matrix/reply.ts';
import type { PlaybookEntry, PlaybookHit, RankedResult, RankInput, Ranking } from '../matrix/types.ts';
import { type CompiledFilter, compileFilter } from '../metadata-filter/metadata-filter.ts';
import type { EmbedQueries } from '../query-vectors/embed-query.ts';
import { createFilterPreparation, type FilterPreparation } from './prepare-filter.ts';
import { createPreparedRequests, type PreparedRequest } from './prepared-requests.ts';

export interface SearchPorts {
  readonly catalogue: IndexCatalogue;
  readonly clock: Clock;
  readonly embedQueries: EmbedQueries;
  /** How far the state is folded. */
  readonly position: () => Position;
  /** Resolves false where the position is not reached before the signal aborts. */
  readonly waitForPosition: (wanted: Position, signal: AbortSignal) => Promise<boolean>;
  /** Chat endpoints that a request may name as its judge. */
  readonly judgeUrls: readonly string[];
  readonly fetch: typeof fetch;
  readonly onAnswered?: (
    request: SearchRequest,
    ranking: Ranking,
    position: Position,
    traceId: string | undefined,
  ) => void;
}

interface QueryVector {
  readonly values: ArrayLike<number> | Query;
  /** The model saw only the beginning of the query. */
  readonly truncated: boolean;
}
type QueryVectors = LRUCache<string, QueryVector>;
/** Made ready for the indexes of a space. */
type ReadyQuery = QueryVector & { readonly space: string };

/** Query vectors kept, so that a repeated query costs no hop to the embedder. */
const queryVectorsMax = 10_000;

/**
 * `svc.matrix.search`: embed once, search all corpora, and rank. Where everything that it needs is at hand the answer is
 * made in one go, without giving up the thread.
 */
export function createSearch(ports: SearchPorts): ServiceHandler {
  const queryVectors: QueryVectors = new LRUCache({ max: queryVectorsMax });
  const filters = createFilterPreparation();
  const prepare = createPreparedRequests<ReturnType<typeof readRequest>, ReadyQuery>((body) =>
    readRequest(body, ports),
  );

  return (request) => {
    const prepared = prepare(request.body);
    const { wanted, judge, filter } = prepared.read;
    const later = () => answerLater({ ...prepared.read, request }, ports, queryVectors, filters);
    if (judge !== undefined || behind(request.position, ports.position())) return later();
    const asked = indexesAsked(wanted, ports);
    const vector = readyAtHand(prepared, asked, queryVectors);
    if (vector === undefined || (filter !== undefined && !filters.isReady(filter, asked.entries))) return later();
    const ranking = rank(retrieve(wanted, filter, vector.values, asked, ports));
    return respond({ wanted, vector, asked, ranking, request }, ports);
  };
}

function readRequest(body: Uint8Array, ports: SearchPorts) {
  const wanted = parseRequestBytes(searchRequestSchema, body, searchSlips);
  const filter = wanted.metadata_filter === undefined ? undefined : compileFilter(wanted.metadata_filter);
  return { wanted, filter, judge: judgeOf(wanted, ports) };
}

/** The query, made ready for the indexes that are asked, where its vector is at hand. */
function readyAtHand(
  prepared: PreparedRequest<ReturnType<typeof readRequest>, ReadyQuery>,
  { space, entries }: AskedIndexes,
  queryVectors: QueryVectors,
): QueryVector | undefined {
  if (prepared.ready?.space === space) return prepared.ready;
  const vector = vectorAtHand(prepared.read.wanted, space, queryVectors);
  if (vector === undefined) return undefined;
  const values = 'length' in vector.values ? entries[0]?.index.prepare(vector.values) : vector.values;
  if (values === undefined) return vector;
  prepared.ready = { space, values, truncated: vector.truncated };
  return prepared.ready;
}

interface Question extends ReturnType<typeof readRequest> {
  readonly request: ServiceRequest;
}

function behind(wanted: Position, folded: Position): boolean {
  for (const stream in wanted) if ((folded[stream] ?? 0) < (wanted[stream] ?? 0)) return true;
  return false;
}

type AskedIndexes = ReturnType<typeof indexesToSearch>;

function indexesAsked(wanted: SearchRequest, { catalogue }: SearchPorts): AskedIndexes {
  return indexesToSearch(catalogue, wanted.corpora, wanted.index ?? null);
}

/** The vector of a query that needs no embedding: given, or seen before in the space that is asked. */
function vectorAtHand(wanted: SearchRequest, space: string, queryVectors: QueryVectors): QueryVector | undefined {
  refuseOtherModel(wanted, space);
  if (wanted.query_vector !== undefined) return { values: checkedVector(wanted.query_vector, space), truncated: false };
  return queryVectors.get(`${space} ${wanted.query_text}`);
}

function refuseOtherModel(wanted: SearchRequest, space: string): void {
  const model = parseSpace(space)?.model;
  if (wanted.model === undefined || wanted.model === model) return;
  throw new ProblemError(
    'space_mismatch',
    `the corpora are in ${space}, and the request wants model "${wanted.model}"`,
  );
}

function checkedVector(vector: readonly number[], space: string): Float32Array {
  const checked = Float32Array.from(vector);
  const dimension = parseSpace(space)?.dimension ?? 0;
  const fault = vectorFault(checked, dimension);
  if (fault !== undefined)
    throw new ProblemError(
      'invalid_vector',
      `query_vector: ${vectorFaultMessage(fault, checked, dimension)} (${space})`,
    );
  return checked;
}

async function answerLater(
  { wanted, filter, request, judge }: Question,
  ports: SearchPorts,
  queryVectors: QueryVectors,
  filters: FilterPreparation,
): Promise<ServiceResponse> {
  const remainingMs = () => Math.max(1, Math.round(request.deadlineAtMs - ports.clock.monotonicMs()));
  if (!(await ports.waitForPosition(request.position, AbortSignal.timeout(remainingMs()))))
    throw new ProblemError('deadline_passed', 'the index did not reach the asked position before the deadline', {
      position: ports.position(),
    });
  let asked = indexesAsked(wanted, ports);
  if (filter !== undefined) await filters.prepare(filter, asked.entries);
  let vector = vectorAtHand(wanted, asked.space, queryVectors);
  if (vector === undefined) {
    const text = wanted.query_text ?? '';
    const { traceId, traceparent } = request;
    const options = { deadlineMs: remainingMs(), traceId, traceparent };
    const { space, vectors, truncated } = await ports.embedQueries([text], options);
    const [values] = vectors;
    if (values === undefined) throw new Error('no vector came for the query');
    const embedded: QueryVector = { values, truncated: truncated[0] ?? false };
    queryVectors.set(`${space} ${text}`, embedded);
    // What is asked may have changed while the query was embedded.
    asked = indexesAsked(wanted, ports);
    if (asked.space !== space)
      throw new ProblemError(
        'space_mismatch',
        `the corpora are in ${asked.space}, and the embedder makes ${space}: ask with query_vector, or embed the corpus again`,
      );
    vector = embedded;
  }
  const input = retrieve(wanted, filter, vector.values, asked, ports);
  const ranking = judge === undefined ? rank(input) : await rankWithJudge(input, judge);
  return respond({ wanted, vector, asked, ranking, request }, ports);
}

/** Asks every index for its nearest, and the playbooks of the same space for recordings near the query. */
function retrieve(
  wanted: SearchRequest,
  filter: CompiledFilter | undefined,
  query: ArrayLike<number> | Query,
  { space, entries }: AskedIndexes,
  ports: SearchPorts,
): RankInput {
  const side = wanted.index ?? null;
  const perCorpusK = Math.max(wanted.k, wanted.per_corpus_k ?? wanted.k);
  const retrieval = { filter, excludeIds: wanted.exclude_ids };
  const found = entries.map(({ corpus, index }) => ({
    corpus,
    index,
    ...index.searchWithin(query, perCorpusK, retrieval),
  }));
  const perCorpus = found.map(({ corpus, index, hits }) => ({
    corpus,
    hits: hits.map(({ id, distance, slot }) => ({ id, corpus, distance, metadataJson: index.metadataJson(slot) })),
  }));
  const byCorpus = new Map(entries.map((entry) => [entry.corpus, entry]));
  return {
    perCorpus,
    k: wanted.k,
    playbookHits: wanted.use_playbook ? playbookHits(wanted, query, space, side, ports.catalogue) : [],
    excludeIds: new Set(wanted.exclude_ids),
    filter: filter?.admits,
    droppedInRetrieval: found.reduce((sum, { refused }) => sum + refused, 0),
    queryRole: wanted.query_role,
    usePlaybook: wanted.use_playbook,
    maxDistance: wanted.playbook_max_distance,
    maxInjectDistance: wanted.playbook_max_inject_distance,
    lookup: (corpus, id) => livingDocument(byCorpus.get(corpus), id),
  };
}

function livingDocument(entry: IndexEntry | undefined, id: string): { metadataJson: string | null } | undefined {
  if (entry === undefined || !entry.index.has(id)) return undefined;
  return { metadataJson: entry.index.lookup(id)?.metadata.json ?? null };
}

/** A playbook corpus that is not there yet is a cold start, not an error. */
function playbookHits(
  wanted: SearchRequest,
  query: ArrayLike<number> | Query,
  space: string,
  side: string | null,
  catalogue: IndexCatalogue,
): PlaybookHit[] {
  const index = catalogue.get({ kind: 'playbooks', corpus: wanted.playbook_corpus, space, side });
  if (index === undefined) return [];
  return index.search(query, wanted.playbook_top_k).map(({ id, distance, slot }) => ({
    playbookId: id,
    distance,
    // Written by this system's own playbook worker and checked when it was folded.
    entry: JSON.parse(index.metadataJson(slot) ?? '{}') as PlaybookEntry,
  }));
}

function judgeOf(wanted: SearchRequest, ports: SearchPorts) {
  const { judge_url: url, judge_model: model, query_text } = wanted;
  if (url === undefined || model === undefined) return undefined;
  if (!ports.judgeUrls.includes(url))
    throw new ProblemError('bad_request', `"${url}" is not among LAKEHOUSE_JUDGE_URLS, so it is not asked`, {
      field: 'judge_url',
    });
  const minRating = wanted.judge_min_rating;
  const judge = createJudge({ url, model, fetch: ports.fetch, ...(minRating === undefined ? {} : { minRating }) });
  if (judge === undefined) return undefined;
  return (candidate: Parameters<typeof judge>[1]) => judge(query_text ?? '', candidate);
}

interface Answer {
  readonly wanted: SearchRequest;
  readonly vector: QueryVector;
  readonly asked: AskedIndexes;
  readonly ranking: Ranking;
  readonly request: ServiceRequest;
}

function respond({ wanted, vector, asked, ranking, request }: Answer, ports: SearchPorts): ServiceResponse {
  const position = ports.position();
  ports.onAnswered?.(wanted, ranking, position, request.traceId);
  const { results, perCorpusCounts, metadataFilterDropped, boosted, injected } = ranking;
  // Metadata goes into the answer as the text that it is kept as.
  const body =
    `{"results":[${results.map((result) => hitJson(result, asked)).join(',')}]` +
    `,"per_corpus_counts":${JSON.stringify(perCorpusCounts)}` +
    `,"playbook_boosted":${boosted},"playbook_injected":${injected},"boosted":${boosted},"injected":${injected}` +
    `,"metadata_filter_dropped":${metadataFilterDropped}${vector.truncated ? ',"query_truncated":true' : ''}}`;
  return { body, position };
}

function hitJson(result: RankedResult, { entries }: AskedIndexes): string {
  const entry = entries.find(({ corpus }) => corpus === result.corpus);
  return resultJson(entry?.index.isTruncated(result.id) === true ? { ...result, truncated: true } : result);
}
