import { setTimeout as delay } from 'node:timers/promises';
import { decodeEvent } from '../../../schemas/decode.ts';
import { encodeVector } from '../../../schemas/vector.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import { readStream } from '../../../streams/read-stream.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { type OllamaDouble, type OllamaFault, startOllamaDouble, vectorOfText } from '../ollama-double.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { type ChaosStack, ownDimension, startChaosStack } from '../stack.ts';

const corpus = 'workers';
const faults: readonly OllamaFault[] = [
  'down',
  'error 500',
  'slow',
  'wrong dimension',
  'fewer',
  'other model',
  'truncated',
  'not finite',
  'zero',
];
const scales = { short: { documents: 6, rounds: 1 }, long: { documents: 200, rounds: 3 } } as const;
/** How long the embedder fails in one way at least once somebody has met it. */
const failMsOf = { short: 50, long: 3_000 } as const;
/** After a long outage it is asked once a minute. */
const metWithinMs = 120_000;
const drainedWithinMs = 180_000;
const lookEveryMs = 50;
/** Documents of a text that waits are gathered, and come again after 0.5, 1, 2 ... seconds. */
const requestsPerSecondMax = 64;
const embedDeadlineMs = 300;

/** F9: the embedder fails in every way that it can. */
export const embedderFails: FaultRow = {
  fault: 'F9',
  title: 'the embedder is down, slow, answers 500, what is no vector, or what is another’s',
  passes:
    'no bad vector is ever on VECTORS, nothing is rejected, it is asked ever less often, and drains when it is back',
  mutations: [
    { name: 'embedder-answers-trusted', breaks: 'which model answered is not looked at' },
    {
      name: 'embedder-outage-rejected',
      breaks: 'what fails because the embedder is away is set aside as if it failed forever',
    },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { documents: each, rounds } = scales[context.scale];
  await using embedder = await startOllamaDouble(ownDimension);
  await using stack = await startChaosStack({
    directory: context.directory,
    mutant: context.mutation,
    environment: { OLLAMA_HOST: embedder.host, LAKEHOUSE_EMBED_DEADLINE_MS: String(embedDeadlineMs) },
  });
  const began = performance.now();
  let documents = 0;
  const asked: string[] = [];
  let unmet = '';
  for (let round = 0; round < rounds; round++) {
    for (const fault of faults) {
      if (context.fault) await embedder.fail(fault);
      const texts = Array.from({ length: each }, (_, at) => ({
        id: `w-${documents + at}`,
        text: textOf(documents + at),
      }));
      await stack.client.ingest(corpus, texts);
      documents += each;
      if (!context.fault) continue;
      if (!(await met(embedder, fault))) unmet = fault;
      await delay(failMsOf[context.scale]);
      asked.push(`${fault}: ${embedder.failed()}`);
      context.report(`${fault}: met ${embedder.failed()} times`);
    }
  }
  const failingSeconds = (performance.now() - began) / 1_000;
  const failures = embedder.requests();
  await embedder.fail(undefined);
  const healed = performance.now();
  const indexed = await drained(stack, documents);
  const drainMs = Math.round(performance.now() - healed);
  const { good, bad, first } = await lookAtVectors(stack);
  const rejected = await rejections(stack.operator);
  return {
    checks: [
      check('every fault was met', unmet === '', unmet === '' ? asked.join('; ') : `${unmet} was not`),
      check('every vector is the one of its text', bad === 0 && good > 0, `${good} right, ${bad} not${first}`),
      check('every document is found when the embedder is back', indexed === documents, `${indexed} of ${documents}`),
      check('an outage rejects nothing', rejected === 0, `${rejected} rejections`),
      check(
        `it is asked at most ${requestsPerSecondMax} times a second while it fails`,
        failures <= requestsPerSecondMax * Math.max(1, failingSeconds),
        `${failures} requests in ${failingSeconds.toFixed(1)} s`,
      ),
      ...(indexed === documents ? await checkDigest(stack) : []),
    ],
    counts: {
      documents,
      embedderFaults: context.fault ? faults.length * rounds : 0,
      embedderRequests: failures,
      drainMs,
    },
  };
}

const textOf = (row: number) => `Forklift operator number ${row}`;

/** Whether the fault was met. What listens nowhere can not count: there it is the time that passes. */
async function met(embedder: OllamaDouble, fault: OllamaFault): Promise<boolean> {
  if (fault === 'down') return true;
  const deadline = performance.now() + metWithinMs;
  while (embedder.failed() === 0) {
    if (performance.now() > deadline) return false;
    await delay(lookEveryMs);
  }
  return true;
}

/** Documents that are searchable, once that are all or it has waited long enough. */
async function drained({ client, operator }: ChaosStack, documents: number): Promise<number> {
  const deadline = performance.now() + drainedWithinMs;
  for (;;) {
    const { indexes } = await client.indexInfo();
    const live = indexes.find((one) => one.corpus === corpus && one.kind === 'documents')?.live ?? 0;
    const rejected = await rejections(operator);
    if (live === documents || live + rejected >= documents || performance.now() > deadline) return live;
    await delay(lookEveryMs);
  }
}

async function rejections({ manager }: LogConnection): Promise<number> {
  return (await manager.streams.info('REJECTED')).state.messages;
}

/** Every vector that was ever appended, against what its text has. */
async function lookAtVectors({ operator }: ChaosStack): Promise<{ good: number; bad: number; first: string }> {
  let [good, bad, first] = [0, 0, ''];
  for await (const { sequence, subject, payload } of readStream(operator, 'VECTORS')) {
    const decoded = decodeEvent('VECTORS', payload, subject);
    if (!decoded.ok || decoded.event.type !== 'lakehouse.vector') continue;
    const { value } = decoded.event.data.content;
    if (value === null) continue;
    if (isVectorOf(value.text ?? '', value.vector)) good++;
    else {
      bad++;
      first ||= `; VECTORS ${sequence} is not`;
    }
  }
  return { good, bad, first };
}

/** Unit vectors that went through JSON may differ in the last bit. */
function isVectorOf(text: string, written: string): boolean {
  const wanted = vectorOfText(text, ownDimension);
  if (encodeVector(wanted) === written) return true;
  const found = new Float32Array(new Uint8Array(Buffer.from(written, 'base64')).buffer);
  return found.length === wanted.length && found.every((value, at) => Math.abs(value - (wanted[at] ?? 0)) < 1e-5);
}
