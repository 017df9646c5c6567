import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { catalog } from '../../../schemas/catalog.ts';
import { serviceDigests } from '../../upgrade/digests.ts';
import {
  type Expected,
  lineFiles,
  readEvents,
  readExpected,
  restoreGolden,
  writeGolden,
} from '../../upgrade/golden.ts';
import { liveSmallLife } from '../../upgrade/life.ts';
import { goldenDirectory, goldenVersions } from '../../upgrade/versions.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { attempt, check } from '../oracles/check.ts';
import { checkDigest, checkSameEverywhere } from '../oracles/digest.ts';
import { type ChaosStack, startChaosStack } from '../stack.ts';

const writtenWithinMs = 20_000;
const lookEveryMs = 50;

/** F20: what earlier versions wrote is read by this one; the control reads what this one wrote just now. */
export const versionBefore: FaultRow = {
  fault: 'F20',
  title: 'streams, a snapshot and logs that an earlier version wrote',
  passes: 'every event is read as what it was, and what is served is what was served then',
  mutations: [
    {
      name: 'vector-field-required',
      breaks: 'vectors must have a field that nobody wrote before, without an upcaster',
    },
    { name: 'snapshot-version-raised', breaks: 'snapshots of the version before are no longer read' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { directory, fault } = context;
  const goldens = fault ? goldenVersions().map(goldenDirectory) : [await writeNow(directory)];
  const checks: Check[] = [check('there is a version to read', goldens.length > 0, goldens.length)];
  let events = 0;
  for (const [at, golden] of goldens.entries()) {
    const expected = await readExpected(golden);
    events += countOf(expected);
    context.report(`version ${expected.version}: ${countOf(expected)} events`);
    checks.push(...(await readOne(golden, expected, join(directory, `read-${at}`), context.mutation)));
  }
  return { checks, counts: { versions: goldens.length, events } };
}

async function writeNow(directory: string): Promise<string> {
  await using stack = await liveSmallLife(join(directory, 'life'));
  const golden = join(directory, 'golden');
  await writeGolden(stack, { version: 'this one', nats_server: 'this one' }, golden);
  return golden;
}

async function readOne(
  golden: string,
  expected: Expected,
  directory: string,
  mutant: string | undefined,
): Promise<Check[]> {
  let events: Expected['events'] = {};
  await using stack = await startChaosStack({
    directory,
    mutant,
    processes: ['ingest', 'embed', 'index', 'observer'],
    environment: { LAKEHOUSE_EMBEDDER: 'minilm' },
    prepare: async (operator, dataDirectory) => {
      await restoreGolden(operator, golden, dataDirectory);
      events = await readEvents(operator);
    },
  });
  const { version } = expected;
  const named = (what: string) => `${version}: ${what}`;
  const types = new Set(Object.values(events).flatMap((counts) => Object.keys(counts)));
  const missing = Object.keys(catalog).filter((name) => !types.has(name));
  const digests = await serviceDigests(stack.client);
  const { snapshot } = await stack.client.indexInfo();
  // One that has no snapshots folds everything.
  await stack.add('index-2', { LAKEHOUSE_DATA_DIR: join(directory, 'without-snapshots') });
  return [
    check(
      named('every event is read as what it was'),
      sameJson(events, expected.events),
      missing.length === 0
        ? `${types.size} types`
        : `${types.size} types; of this version's not there: ${missing.join(', ')}`,
    ),
    check(
      named('the index boots from the snapshot'),
      snapshot?.key === expected.snapshot,
      snapshot?.key ?? 'from the log',
    ),
    check(named('and serves what was served'), sameJson(digests, expected.digests), `${digests.length} indexes`),
    await checkSameEverywhere(stack, 2),
    ...(await checkDigest(stack)),
    ...(await Promise.all(lineFiles.map(({ file }) => checkLines(stack, golden, file, named)))),
  ];
}

function checkLines(
  { dataDirectory }: ChaosStack,
  golden: string,
  file: string,
  named: (what: string) => string,
): Promise<Check> {
  return attempt(named(`${file} comes out byte for byte`), async () => {
    const expected = await readFile(join(golden, file));
    const deadline = performance.now() + writtenWithinMs;
    for (;;) {
      const written = await readFile(join(dataDirectory, '_kb', file)).catch(() => Buffer.alloc(0));
      if (written.equals(expected)) return { held: true, seen: `${written.length} bytes` };
      if (performance.now() > deadline) return { held: false, seen: `${written.length} of ${expected.length} bytes` };
      await delay(lookEveryMs);
    }
  });
}

const sameJson = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

function countOf({ events }: Expected): number {
  return Object.values(events)
    .flatMap((counts) => Object.values(counts))
    .reduce((sum, count) => sum + count, 0);
}
