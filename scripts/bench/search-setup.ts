import { loadBody, needQueries } from '../staffing/demand.ts';
import type { Generator } from './generator.ts';
import type { BenchStack } from './processes.ts';
import { recallOfAnswers, type Served } from './recall.ts';
import type { EmbeddedWorker } from './staffing-corpus.ts';

export const searchPath = '/v1/matrix/search';
export const bodiesCount = 200;

/** 200 different searches of a corpus: ten hits with their metadata, no playbooks. */
export function searchBodies(corpus: string, seed: number, count: number = bodiesCount): string[] {
  return needQueries({ count, seed }).map((query) => JSON.stringify({ ...loadBody(query), corpora: [corpus] }));
}

/** Asks every body once, so that query vectors are cached and code is compiled. */
export async function warmUp(generator: Generator, url: string, bodies: readonly string[]): Promise<void> {
  await generator.run({ url, bodies, concurrency: 4, requests: bodies.length });
  await generator.run({ url, bodies, concurrency: 10, durationMs: 1_500 });
}

/** A reply of middle length: what the echoes answer with. */
export async function typicalReply(url: string, bodies: readonly string[]): Promise<string> {
  const replies: string[] = [];
  for (const body of bodies) {
    const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`a search answered ${response.status}: ${text}`);
    replies.push(text);
  }
  replies.sort((one, other) => one.length - other.length);
  return replies[Math.floor(replies.length / 2)] ?? '';
}

/** Recall@10 of what the gateway serves, at the index's own settings, against a scan made here. */
export async function servedRecall(
  { client }: BenchStack,
  corpus: string,
  embedded: readonly EmbeddedWorker[],
  seed: number,
): Promise<number> {
  const queries = needQueries({ count: bodiesCount, seed });
  const { vectors } = await client.embed({ texts: queries.map(({ query_text }) => query_text), kind: 'query' });
  const answers: Served[] = [];
  for (const [place, query] of queries.entries()) {
    const { results } = await client.search({ ...loadBody(query), corpora: [corpus] });
    answers.push({ query: vectors[place] ?? [], ids: results.map(({ id }) => id) });
  }
  const labelled = embedded.map(({ document, vector }) => ({ id: document.id, vector }));
  return recallOfAnswers(labelled, answers, 10);
}
