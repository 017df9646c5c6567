import { LRUCache } from 'lru-cache';
import type {
  ChangedSearch,
  ReplaySide,
  SearchReplayReport,
  SearchReplayRun,
} from '../../schemas/distillation/search-replay.ts';
import { ProblemError } from '../../schemas/problems.ts';
import type { LogConnection } from '../../streams/connection.ts';
import type { RuntimeLog } from '../../streams/logger.ts';
import type { EmbedQueries } from '../query-vectors/embed-query.ts';
import type { Moment } from '../rebuild/moment.ts';
import { type AskOptions, ask, textToEmbed } from './ask.ts';
import { type Answer, changedResults } from './compare.ts';
import { readSearches, type SearchToReplay } from './logged-searches.ts';
import { momentOfState, type NamedState } from './moments.ts';
import { type Policy, underPolicy } from './policy.ts';
import { type Concerns, foldStates } from './states.ts';

export interface SearchReplayRequest {
  /** The two sides, the one that is asked first before the one it is held against. */
  readonly states: readonly [NamedState, NamedState];
  readonly policies: readonly [Policy, Policy];
  /** Only searches that named this corpus. */
  readonly corpus: string | undefined;
  /** The newest searches, so many at most. */
  readonly limit: number;
}

export interface SearchReplayPorts extends AskOptions {
  readonly connection: LogConnection;
  readonly log: RuntimeLog;
  readonly configuredSpace: string;
  readonly embedQueries: EmbedQueries;
  readonly recordedAt: string;
  readonly runId: string;
  readonly onProgress: (asked: number, total: number) => void;
}

/** Searches that can be asked again in one run: they are held in memory. */
export const searchesMax = 20_000;
const searchesTogether = 50;
const vectorsKeptMax = 10_000;
const embedDeadlineMs = 60_000;
/** Changed results that are told of one search. */
const resultsToldMax = 50;

/**
 * Asks what was asked once more, of two states or under two policies, and tells which answers differ. Each search is asked
 * with one vector on both sides and scanned exactly: what differs is what the states or policies make of it. Nothing is
 * written.
 * @throws ProblemError where nobody embeds
 */
export async function replaySearches(
  request: SearchReplayRequest,
  ports: SearchReplayPorts,
): Promise<SearchReplayReport> {
  const { connection, runId, recordedAt } = ports;
  const beganMs = connection.clock.monotonicMs();
  const moments = [
    await momentOfState(connection, request.states[0]),
    await momentOfState(connection, request.states[1]),
  ] as const;
  const { searches, leftOut } = await readSearches(connection, request);
  const states = await foldStates(moments, concernsOf(searches, request.policies, ports), ports);
  const sides = [
    { state: states[0], policy: request.policies[0] },
    { state: states[1], policy: request.policies[1] },
  ] as const;
  const vectors = createVectors(ports.embedQueries);
  const changes: ChangedSearch[] = [];
  let unanswered = 0;
  for (let at = 0; at < searches.length; at += searchesTogether) {
    const some = searches.slice(at, at + searchesTogether);
    await vectors.provide(
      some.flatMap((search) => sides.flatMap((side) => textToEmbed(search.request, side, ports) ?? [])),
    );
    for (const search of some) {
      const before = ask(search.request, sides[0], ports, vectors.of);
      const against = ask(search.request, sides[1], ports, vectors.of);
      if (before.problem !== null || against.problem !== null) unanswered++;
      const change = changeOf(search, before, against);
      if (change !== undefined) changes.push(change);
    }
    ports.onProgress(Math.min(at + searchesTogether, searches.length), searches.length);
    // A scan holds the thread: heartbeats of the connection live in between.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const sideAt = (place: 0 | 1) => toldSide(request.states[place], moments[place], request.policies[place]);
  const run: SearchReplayRun = {
    schema: 'search_replay.v1',
    recorded_at: recordedAt,
    run_id: runId,
    before: sideAt(0),
    against: sideAt(1),
    asked: searches.length,
    changed: changes.length,
    unanswered,
    left_out: leftOut,
    duration_ms: connection.clock.monotonicMs() - beganMs,
    outcome: 'done',
    error: null,
  };
  return { run, changes };
}

/** The row of a run that failed. */
export function failedRun(ports: Pick<SearchReplayPorts, 'recordedAt' | 'runId'>, error: unknown): SearchReplayRun {
  return {
    schema: 'search_replay.v1',
    recorded_at: ports.recordedAt,
    run_id: ports.runId,
    before: null,
    against: null,
    asked: 0,
    changed: 0,
    unanswered: 0,
    left_out: { older: 0, unreadable: 0, judged: 0 },
    duration_ms: 0,
    outcome: 'failed',
    error: error instanceof Error ? error.message : String(error),
  };
}

function toldSide({ name }: NamedState, { version, playbooks }: Moment, policy: Policy): ReplaySide {
  return { as_of: name, position: { INGEST: version, PLAYBOOKS: playbooks }, policy: policy.name };
}

function concernsOf(
  searches: readonly SearchToReplay[],
  policies: readonly Policy[],
  { retrieval }: AskOptions,
): Concerns {
  const requests = searches.map(({ request }) => request);
  return {
    corpora: new Set(requests.flatMap(({ corpora }) => corpora)),
    playbookCorpora: new Set(requests.map(({ playbook_corpus }) => playbook_corpus)),
    words: requests.some((request) =>
      policies.some((policy) => (underPolicy(request, policy).retrieval ?? retrieval) !== 'vector'),
    ),
  };
}

function changeOf({ logged, searchedAt, request }: SearchToReplay, before: Answer, against: Answer) {
  const results = changedResults(before, against);
  if (results.length === 0 && before.problem === against.problem) return undefined;
  const told = (answer: Answer) => ({
    problem: answer.problem,
    results: answer.results.length,
    boosted: answer.boosted,
    injected: answer.injected,
  });
  const change: ChangedSearch = {
    logged,
    searched_at: searchedAt,
    query_text: request.query_text ?? null,
    corpora: request.corpora,
    k: request.k,
    before: told(before),
    against: told(against),
    results: results.slice(0, resultsToldMax),
    results_left: Math.max(0, results.length - resultsToldMax),
  };
  return change;
}

interface WantedText {
  readonly space: string;
  readonly text: string;
}

/** The vectors of texts, embedded when they are first wanted: one text has one vector, whoever asks for it. */
function createVectors(embedQueries: EmbedQueries) {
  const vectors = new LRUCache<string, Float32Array>({ max: vectorsKeptMax });
  const keyOf = ({ space, text }: WantedText) => `${space} ${text}`;
  const embed = async (space: string, texts: readonly string[]): Promise<void> => {
    const cause = { traceId: undefined, traceparent: undefined };
    try {
      const made = await embedQueries(texts, { deadlineMs: embedDeadlineMs, space, ...cause });
      for (const [at, text] of texts.entries()) {
        const vector = made.vectors[at];
        if (vector !== undefined) vectors.set(keyOf({ space, text }), vector);
      }
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problem.code !== 'text_refused') throw error;
      // One text that is refused fails the batch: the others are embedded one by one, and it has no vector.
      if (texts.length > 1) for (const text of texts) await embed(space, [text]);
    }
  };
  return {
    of: (space: string, text: string) => vectors.get(keyOf({ space, text })),
    /** Afterwards all of them are there, but those that the embedder refuses. */
    provide: async (wanted: readonly WantedText[]): Promise<void> => {
      const missing = new Map<string, Set<string>>();
      for (const one of wanted)
        if (vectors.get(keyOf(one)) === undefined)
          missing.set(one.space, (missing.get(one.space) ?? new Set()).add(one.text));
      for (const [space, texts] of missing) await embed(space, [...texts]);
    },
  };
}
