import { LRUCache } from 'lru-cache';
import type { Position } from '../../schemas/position.ts';
import { ProblemError } from '../../schemas/problems.ts';
import type { RetrievalMode } from '../../schemas/requests/explain.ts';
import { type SearchRequest, searchRequestSchema, searchSlips } from '../../schemas/requests/matrix.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import { parseSpace } from '../../schemas/space.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceHandler, ServiceRequest, ServiceResponse } from '../../streams/service.ts';
import { type IndexCatalogue, indexesToSearch } from '../corpus-index/catalogue.ts';
import type { Query } from '../corpus-index/corpus-index.ts';
import type { LexicalIndex } from '../lexical/lexical-index.ts';
import { createJudge } from '../matrix/judge.ts';
import { rank, rankWithJudge } from '../matrix/rank.ts';
import type { RankInput, Ranking } from '../matrix/types.ts';
import { compileFilter } from '../metadata-filter/metadata-filter.ts';
import type { EmbedQueries } from '../query-vectors/embed-query.ts';
import { chooseRetrieval, refuseWithoutWords } from '../retrieval/choose-retrieval.ts';
import { givenVector } from '../retrieval/given-vector.ts';
import { type HybridParameters, retrieve } from '../retrieval/retrieve.ts';
import { createFilterPreparation, type FilterPreparation } from './prepare-filter.ts';
import { createPreparedRequests, type PreparedRequest } from './prepared-requests.ts';
import { respond } from './respond.ts';
import { allAtHand, allGathered, type Words } from './words.ts';

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
  readonly words: Words;
  /** How candidates are found where a request does not say. */
  readonly retrieval: RetrievalMode;
  readonly hybrid: HybridParameters;
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
    const { wanted, judge, filter, choice } = prepared.read;
    const later = () => answerLater({ ...prepared.read, request }, ports, queryVectors, filters);
    if (judge !== undefined || behind(request.position, ports.position())) return later();
    const asked = indexesAsked(wanted, ports);
    const vector = choice.needsVector ? readyAtHand(prepared, asked, queryVectors) : undefined;
    if (choice.needsVector && vector === undefined) return later();
    if (filter !== undefined && !filters.isReady(filter, asked.entries)) return later();
    const words = allAtHand(ports.words, choice.mode, asked.entries);
    if (words === undefined) return later();
    const { mode, input } = find(prepared.read, { asked, vector, words }, ports);
    return respond({ wanted, request, asked, vector, mode, input, ranking: rank(input) }, ports);
  };
}

function readRequest(body: Uint8Array, ports: SearchPorts) {
  const wanted = parseRequestBytes(searchRequestSchema, body, searchSlips);
  const filter = wanted.metadata_filter === undefined ? undefined : compileFilter(wanted.metadata_filter);
  return { wanted, filter, choice: chooseRetrieval(wanted, ports.retrieval), judge: judgeOf(wanted, ports) };
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

/** What a question is answered out of. */
interface AtHand {
  readonly asked: AskedIndexes;
  readonly vector: QueryVector | undefined;
  readonly words: ReadonlyMap<string, LexicalIndex>;
}

/** What the corpora give for a question, as ranking takes it. */
function find(
  { wanted, filter, choice }: ReturnType<typeof readRequest>,
  { asked, vector, words }: AtHand,
  ports: SearchPorts,
): { mode: RetrievalMode; input: RankInput } {
  const mode = refuseWithoutWords(choice, asked.entries, words);
  const { space, entries } = asked;
  const { hybrid, catalogue } = ports;
  const values = vector?.values;
  return { mode, input: retrieve({ wanted, filter, mode, vector: values, space, entries, words, hybrid, catalogue }) };
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
  if (wanted.query_vector !== undefined) return { values: givenVector(wanted.query_vector, space), truncated: false };
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

async function answerLater(
  question: Question,
  ports: SearchPorts,
  queryVectors: QueryVectors,
  filters: FilterPreparation,
): Promise<ServiceResponse> {
  const { wanted, filter, choice, request, judge } = question;
  const remainingMs = () => Math.max(1, Math.round(request.deadlineAtMs - ports.clock.monotonicMs()));
  if (!(await ports.waitForPosition(request.position, AbortSignal.timeout(remainingMs()))))
    throw new ProblemError('deadline_passed', 'the index did not reach the asked position before the deadline', {
      position: ports.position(),
    });
  let asked = indexesAsked(wanted, ports);
  if (filter !== undefined) await filters.prepare(filter, asked.entries);
  let vector = choice.needsVector ? vectorAtHand(wanted, asked.space, queryVectors) : undefined;
  if (choice.needsVector && vector === undefined) {
    const text = wanted.query_text ?? '';
    const { traceId, traceparent } = request;
    const options = { deadlineMs: remainingMs(), traceId, traceparent, space: asked.space };
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
        `the corpora are in ${asked.space}, and the query was embedded in ${space} when they moved: ask again`,
      );
    vector = embedded;
  }
  const signal = AbortSignal.timeout(remainingMs());
  const words = await allGathered(ports.words, choice.mode, asked.entries, signal);
  const { mode, input } = find(question, { asked, vector, words }, ports);
  const ranking = judge === undefined ? rank(input) : await rankWithJudge(input, judge);
  return respond({ wanted, request, asked, vector, mode, input, ranking }, ports);
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
