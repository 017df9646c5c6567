import { setTimeout as delay } from 'node:timers/promises';
import { createVectorSource } from '../../staffing/own-vectors.ts';
import { createHistory } from '../../testing/history.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { type ObjectStoreDouble, type StoreFault, startObjectStoreDouble } from '../object-store-double.ts';
import { checkAcknowledged } from '../oracles/acknowledged.ts';
import { checkNoCrash } from '../oracles/alive.ts';
import { attempt } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { seeSearch } from '../oracles/prefix.ts';
import { createProducer } from '../producer.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const scales = {
  short: { documents: 300, rounds: 1 },
  long: { documents: 5_000, rounds: 5 },
} as const;
const corpus = 'workers';
const faults: readonly StoreFault[] = ['down', 'unavailable', 'slow', 'forgetful'];
const snapshotIntervalMs = 300;
/** Several snapshots are tried within it. */
const lastsMs = 1_200;
const healDeadlineMs = 30_000;
const lookEveryMs = 50;

/** F10: the object store of the snapshots fails in its ways. */
export const objectStoreAway: FaultRow = {
  fault: 'F10',
  title: 'the object store down, slow, answering 503, forgetting, and without an object that was there',
  passes: 'ingest and searches go on, snapshots are tried again, and a boot falls back to an older one or to the log',
  mutations: [
    { name: 'boot-needs-store', breaks: 'an index worker does not boot while the store is away' },
    { name: 'snapshot-failure-kills', breaks: 'a snapshot that can not be taken ends its worker' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, directory, mutation, fault } = context;
  const { documents, rounds } = scales[context.scale];
  await using store = await startObjectStoreDouble();
  await using stack = await startChaosStack({
    directory,
    mutant: mutation,
    environments: {
      index: { ...store.environment, LAKEHOUSE_SNAPSHOT_INTERVAL_MS: String(snapshotIntervalMs) },
    },
  });
  const producer = createProducer({ client: stack.client, corpus, name: `f10-${seed}`, batch: 100 });
  const history = createHistory({ seed, documents, dimension: ownDimension, space: ownSpace });
  const query = createVectorSource({ dimension: ownDimension, clusters: 8, seed })(1);
  await producer.send(history.first());
  // What is asked from here on has its corpus.
  await stack.client.ingest(corpus, [{ id: 'w-1', metadata: {} }], { waitSearchable: true });
  const checks: Check[] = [await newSnapshot(stack, 'a snapshot is taken', '')];
  let kills = 0;
  for (let round = 0; round < rounds; round++) {
    for (const kind of fault ? faults : []) {
      if (!checks.every(({ held }) => held)) break;
      store.fail(kind);
      checks.push(await goesOn(stack, kind, query, () => producer.send(history.changes(Math.floor(documents / 10)))));
      store.fail(undefined);
      const before = await newestKey(stack);
      await producer.send(history.changes(20));
      checks.push(await newSnapshot(stack, `snapshots are taken again after "${kind}"`, before));
      context.report(`round ${round + 1}: ${kind}, ${producer.documents()} documents`);
    }
    if (fault && checks.every(({ held }) => held)) {
      checks.push(...(await bootChecks(stack, store)));
      kills += 2;
    }
  }
  const digests = checks.every(({ held }) => held) ? await checkDigest(stack) : [];
  const acknowledged = await checkAcknowledged(stack.operator, producer.acknowledged);
  return {
    checks: [...checks, ...digests, ...acknowledged.checks, checkNoCrash(stack)],
    counts: {
      documents: producer.documents(),
      kills,
      storeFaults: fault ? faults.length * rounds : 0,
      storeRequests: store.requests(),
      acknowledgedLost: acknowledged.lost,
    },
  };
}

const newestKey = async ({ client }: ChaosStack) =>
  (await client.indexInfo().catch(() => undefined))?.snapshot?.key ?? '';

/** Waits for a snapshot that is not the one before, and is whole in the store. */
async function newSnapshot(stack: ChaosStack, what: string, before: string): Promise<Check> {
  return attempt(what, async () => {
    const deadline = performance.now() + healDeadlineMs;
    while (performance.now() < deadline && stack.of('index').isRunning()) {
      const key = await newestKey(stack);
      if (key !== '' && key !== before) return { held: true, seen: 'it was' };
      await delay(lookEveryMs);
    }
    return { held: false, seen: `not within ${healDeadlineMs} ms` };
  });
}

/** What is said and asked while the store fails. */
async function goesOn(
  stack: ChaosStack,
  kind: StoreFault,
  query: Float32Array,
  send: () => Promise<void>,
): Promise<Check> {
  return attempt(`ingest and searches go on while the store is "${kind}"`, async () => {
    const until = performance.now() + lastsMs;
    await send();
    let [asked, answered] = [0, 0];
    while (performance.now() < until) {
      asked++;
      if ((await seeSearch(stack.url, corpus, query)) !== undefined) answered++;
      await delay(lookEveryMs);
    }
    return { held: asked > 0 && answered === asked, seen: `${answered} of ${asked} searches answered` };
  });
}

/** Boots without the newest snapshot's bodies, and without the store. */
async function bootChecks(stack: ChaosStack, store: ObjectStoreDouble): Promise<Check[]> {
  const index = stack.of('index');
  const boot = async (what: string, expected: (key: string) => boolean) =>
    attempt(what, async () => {
      await index.start({ LAKEHOUSE_SNAPSHOT_INTERVAL_MS: '0' });
      await index.untilReady();
      const key = await newestKey(stack);
      return { held: expected(key), seen: key === '' ? 'from the log' : `from ${key}` };
    });
  await index.kill9();
  const manifests = () => [...store.objects.keys()].filter((key) => key.endsWith('/manifest.json')).sort();
  const newest = manifests().at(-1) ?? '';
  const folder = newest.slice(0, newest.lastIndexOf('/'));
  for (const key of [...store.objects.keys()]) if (key.startsWith(`${folder}/`) && key !== newest) store.remove(key);
  const older = await boot(
    'a boot falls back to an older snapshot where an object is gone',
    (key) => key !== '' && !newest.endsWith(key),
  );
  await index.kill9();
  store.fail('down');
  const fromLog = await boot('a boot falls back to the log where the store is away', (key) => key === '');
  store.fail(undefined);
  await index.kill9();
  await index.start();
  await index.untilReady();
  return [older, fromLog];
}
