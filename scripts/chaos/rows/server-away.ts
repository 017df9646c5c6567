import { setTimeout as delay } from 'node:timers/promises';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import { createHistory } from '../../testing/history.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { checkNoCrash } from '../oracles/alive.ts';
import { attempt, check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { createProducer } from '../producer.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const scales = {
  short: { documents: 300, awayMs: 3_000 },
  long: { documents: 5_000, awayMs: 30_000 },
} as const;
const corpus = 'workers';
const askEveryMs = 200;
const resumeDeadlineMs = 20_000;
const answerDeadlineMs = 15_000;

/** F5: nats-server is away for a while, with the gateway and the workers up. */
export const serverAway: FaultRow = {
  fault: 'F5',
  title: 'nats-server away, with gateway and workers up',
  passes: 'the gateway answers 503 with Retry-After meanwhile, nothing crashes, and everything resumes by itself',
  mutations: [
    { name: 'reconnect-gives-up', breaks: 'a process stops dialling a server that is away' },
    { name: 'no-retry-after', breaks: 'an answer of 503 does not say when to try again' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault } = context;
  const { documents, awayMs } = scales[context.scale];
  await using stack = await startChaosStack({ directory, mutant: mutation });
  const producer = createProducer({ client: stack.client, corpus, name: `f5-${seed}` });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const query = createVectorSource({ dimension: ownDimension, clusters: 8, seed })(1);
  await producer.send(history.first());
  const answers: Answer[] = [];
  if (fault) {
    await stack.server.kill9();
    const until = performance.now() + awayMs;
    // The loss of a connection is noticed within moments; what is asked in them is answered by a deadline.
    await delay(askEveryMs);
    while (performance.now() < until) {
      answers.push(...(await Promise.all([ask(stack, query), say(stack), askInfo(stack)])));
      await delay(askEveryMs);
    }
    await stack.server.restart();
  }
  const began = performance.now();
  const resumed = await attempt('it resumes by itself', async () => {
    while (performance.now() - began < resumeDeadlineMs) {
      const [found, said] = [await ask(stack, query), await say(stack)];
      if (found.status === 200 && said.status === 202)
        return { held: true, seen: `after ${Math.round(performance.now() - began)} ms` };
      await delay(askEveryMs);
    }
    const told = [await ask(stack, query), await say(stack)].map(({ what, status }) => `${what} ${status}`);
    return { held: false, seen: `not within ${resumeDeadlineMs} ms: ${told.join(', ')}` };
  });
  const resumeMs = Math.round(performance.now() - began);
  if (resumed.held) await producer.send(history.changes(documents));
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  const wrong = answers.filter(({ status, retryAfter }) => status !== 503 || !(retryAfter > 0));
  return {
    checks: [
      check(
        'every answer while it is away is 503 with Retry-After',
        wrong.length === 0 && answers.length > 0 === fault,
        wrong[0] === undefined
          ? `${answers.length} answers`
          : `${wrong.length} of ${answers.length} were not; ${wrong[0].what} ${wrong[0].status}, Retry-After ${wrong[0].retryAfter}`,
      ),
      resumed,
      ...(resumed.held ? await checkDigest(stack) : []),
      ...acknowledged.checks,
      checkNoCrash(stack),
    ],
    counts: {
      documents: producer.documents(),
      kills: fault ? 1 : 0,
      awayMs: fault ? awayMs : 0,
      answersWhileAway: answers.length,
      resumeMs,
      acknowledgedLost: acknowledged.lost,
    },
  };
}

interface Answer {
  readonly what: string;
  /** 0: no answer came. */
  readonly status: number;
  readonly retryAfter: number;
}

async function request(what: string, url: string, body?: object): Promise<Answer> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(answerDeadlineMs),
      ...(body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return { what, status: response.status, retryAfter: Number(response.headers.get('retry-after') ?? Number.NaN) };
  } catch {
    return { what, status: 0, retryAfter: Number.NaN };
  }
}

const ask = ({ url }: ChaosStack, query: Float32Array) =>
  request('search', `${url}/v1/matrix/search`, { query_vector: [...query], corpora: [corpus], k: 3 });
const say = ({ url }: ChaosStack) => request('ingest', `${url}/v1/ingest/other`, [{ id: 'd-1', deleted: true }]);
const askInfo = ({ url }: ChaosStack) => request('index info', `${url}/v1/index/info`);
