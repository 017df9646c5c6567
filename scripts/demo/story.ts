import type { GatewayClient, SearchInput } from '../../gateway/client/client.ts';
import { withRetries } from '../../gateway/client/exchange.ts';
import type { SearchReply } from '../../schemas/requests/matrix.ts';
import { searchLimits } from '../../schemas/requests/matrix.ts';
import type { Clock } from '../../streams/clock.ts';
import { playbookId } from '../../workers/matrix/playbook-id.ts';
import { resultTable } from '../commands/search.ts';
import { seededDocuments } from '../commands/seed.ts';
import { formatDuration } from '../progress.ts';
import { sendDocuments } from '../publish/send.ts';
import { cncQuery, forkliftQuery } from '../staffing/demand.ts';
import { staffingSeedDefault, workerCountDefault } from '../staffing/workers.ts';
import {
  allSearchable,
  builtBy,
  type Claim,
  digestOf,
  foundByMeaning,
  halvedDistance,
  liftsAre,
  rankOf,
  rebuildSucceeded,
  recordedAs,
  resultOf,
  sameDigest,
  sameResults,
  switchedIndex,
  wouldBeLifted,
} from './claims.ts';

export const demoCorpus = 'workers';
const answerId = 'w-43';
const nearestShown = 5;
/** The other role's query is beyond the default 0.5 from the recorded one, so that the gate would not even be asked. */
const wideDistance = 0.8;
const searchAttemptsMax = 20;

export interface StoryOptions {
  readonly client: GatewayClient;
  /** Where playbooks are recorded: a corpus of its own on a stack that others use. */
  readonly playbookCorpus: string;
  readonly say: (line: string) => void;
  readonly clock: Clock;
  /** Milliseconds since the command was called. */
  readonly sinceStartMs: () => number;
  /** Builds the index of the corpus anew from the log and switches to it; resolves to the exit code. */
  readonly rebuild: () => Promise<number>;
}

export interface StoryReport {
  readonly first_answer_ms: number;
  readonly cold_distance: number | null;
  readonly warm_distance: number | null;
  readonly playbook_id: string;
  readonly claims: readonly Claim[];
  readonly holds: boolean;
}

/** Tells the story, checks every sentence of it, and goes on where one does not hold. */
export async function tellStory(options: StoryOptions): Promise<StoryReport> {
  const { client, say } = options;
  const claims: Claim[] = [];
  const check = (claim: Claim) => {
    claims.push(claim);
    say(`   ${claim.holds ? 'holds' : 'DOES NOT HOLD'}: ${claim.claim} (${claim.seen})`);
  };

  await seedWorkers(options, check);
  const { cold, firstAnswerMs, k } = await coldSearch(options, check);
  const base = { ...searchOf(forkliftQuery.query_text, k), query_role: forkliftQuery.query_role };
  const playbooks = { use_playbook: true, playbook_corpus: options.playbookCorpus };

  say(`\n3. A coordinator chooses ${answerId}, and the choice is remembered as a playbook.`);
  const { playbook_id } = await client.record({
    query_text: forkliftQuery.query_text,
    answer_id: answerId,
    answer_corpus: demoCorpus,
    score: 1,
    role: forkliftQuery.query_role,
    corpus: options.playbookCorpus,
  });
  check(recordedAs(playbook_id, playbookId(forkliftQuery.query_text, answerId, demoCorpus)));

  say('\n4. The same question again, now with playbooks.');
  const warm = await client.search({ ...base, ...playbooks });
  say(indented(resultTable({ results: warm.results.slice(0, nearestShown) })));
  say(`   ${answerId}: rank ${rankOf(cold, answerId)} before, rank ${rankOf(warm, answerId)} now`);
  check(halvedDistance(resultOf(cold, answerId), resultOf(warm, answerId)));
  check(liftsAre(warm, 1, 0));

  await otherRole(options, playbooks, check);
  await rebuiltIndex(options, { ...base, ...playbooks }, warm, check);
  return {
    first_answer_ms: Math.round(firstAnswerMs),
    cold_distance: resultOf(cold, answerId)?.distance ?? null,
    warm_distance: resultOf(warm, answerId)?.distance ?? null,
    playbook_id,
    claims,
    holds: claims.every(({ holds }) => holds),
  };
}

type Check = (claim: Claim) => void;

function searchOf(text: string, k: number): SearchInput {
  return { query_text: text, corpora: [demoCorpus], k, per_corpus_k: k };
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '   ');
}

async function seedWorkers({ client, say, clock }: StoryOptions, check: Check): Promise<void> {
  say(`\n1. ${workerCountDefault} workers go into the log as events; each becomes a vector, and can be found.`);
  const beganMs = clock.monotonicMs();
  let batches = 0;
  const report = await sendDocuments({
    client,
    corpus: demoCorpus,
    documents: seededDocuments(workerCountDefault, staffingSeedDefault),
    waitSearchable: true,
    newKey: () => `demo-${process.pid}-${Math.round(beganMs)}-${batches++}`,
    onProgress: () => {},
  });
  say(`   took ${formatDuration(clock.monotonicMs() - beganMs)}`);
  check(allSearchable(workerCountDefault, report.accepted, report.searchable ?? 0));
}

/** Asks for as many results as it takes for the answer to be among them. */
async function coldSearch({ client, say, sinceStartMs }: StoryOptions, check: Check) {
  say(`\n2. A coordinator asks: "${forkliftQuery.query_text}"`);
  let k = 10;
  let cold = await withRetries(searchAttemptsMax, () => client.search(searchOf(forkliftQuery.query_text, k)));
  const firstAnswerMs = sinceStartMs();
  while (rankOf(cold, answerId) === undefined && k < searchLimits.kMax) {
    k = Math.min(k * 2, searchLimits.kMax);
    cold = await client.search(searchOf(forkliftQuery.query_text, k));
  }
  say(indented(resultTable({ results: cold.results.slice(0, nearestShown) })));
  say(`   ${answerId} is at rank ${rankOf(cold, answerId) ?? 'none'} of the ${k} asked for`);
  say(`   the first answer came ${formatDuration(firstAnswerMs)} after the start`);
  check(foundByMeaning(cold, forkliftQuery.query_role, nearestShown));
  return { cold, firstAnswerMs, k };
}

async function otherRole({ client, say }: StoryOptions, playbooks: object, check: Check): Promise<void> {
  say(`\n5. Another role asks: "${cncQuery.query_text}"`);
  const search = { ...searchOf(cncQuery.query_text, workerCountDefault), playbook_max_distance: wideDistance };
  const [open, gated, plain] = await Promise.all([
    client.search({ ...search, ...playbooks }),
    client.search({ ...search, ...playbooks, query_role: cncQuery.query_role }),
    client.search({ ...search, query_role: cncQuery.query_role, use_playbook: false }),
  ]);
  check(wouldBeLifted(open));
  check(liftsAre(gated, 0, 0));
  check(sameResults(gated, plain, 'with its role its results are what they are without playbooks'));
}

async function rebuiltIndex(
  options: StoryOptions,
  search: SearchInput,
  warm: SearchReply,
  check: Check,
): Promise<void> {
  const { client, say, rebuild, clock } = options;
  say('\n6. The index is thrown away and built anew from the log alone.');
  const before = digestOf(await client.indexDigest(demoCorpus), demoCorpus);
  const replaced = builtBy(await client.indexInfo(), demoCorpus);
  const beganMs = clock.monotonicMs();
  const exitCode = await rebuild();
  say(`   took ${formatDuration(clock.monotonicMs() - beganMs)}`);
  check(rebuildSucceeded(exitCode));
  check(switchedIndex(replaced, builtBy(await client.indexInfo(), demoCorpus)));
  check(sameDigest(before, digestOf(await client.indexDigest(demoCorpus), demoCorpus)));
  check(sameResults(warm, await client.search(search), 'the same question is answered as before'));
}
