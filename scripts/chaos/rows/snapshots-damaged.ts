import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalObjectStore } from '../../../streams/local-object-store.ts';
import { loadNewestSnapshot } from '../../../workers/corpus-index/snapshots.ts';
import { below, type Random } from '../../random.ts';
import { createHistory } from '../../testing/history.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { checkNoCrash } from '../oracles/alive.ts';
import { attempt, check } from '../oracles/check.ts';
import { digestKey } from '../oracles/clean-fold.ts';
import { checkDigest } from '../oracles/digest.ts';
import { createProducer } from '../producer.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const scales = { short: { documents: 250 }, long: { documents: 5_000 } } as const;
const corpora = ['workers', 'others'] as const;
const strideBytes = 1_024;
const manifestName = 'manifest.json';

/** F11: an index worker boots, and finds its newest snapshot damaged. */
export const snapshotsDamaged: FaultRow = {
  fault: 'F11',
  title:
    'a snapshot truncated, bit-flipped at every KiB, without manifest, swapped between corpora, from a future version',
  passes: 'it is never loaded, the index is folded from the log to the same digest, and nothing crashes',
  mutations: [
    { name: 'snapshot-unchecked', breaks: 'frames, bodies and the digest of what was loaded are not checked' },
  ],
  run,
};

const mutationFlipsMax = 8;

interface Damage {
  readonly name: string;
  /** @param bodies the files of the snapshot, its manifest apart */
  readonly inflict: (folder: string, bodies: readonly string[], random: Random) => Promise<void>;
}

const damages: readonly Damage[] = [
  {
    name: 'truncated',
    inflict: async (_, [body = '']) => truncate(body, Math.floor((await readFile(body)).byteLength / 2)),
  },
  {
    name: 'bit-flipped',
    inflict: async (_, [body = ''], random) => {
      const bytes = await readFile(body);
      // Amid the vectors, which are its greater part.
      flip(bytes, Math.floor(bytes.byteLength * (0.4 + 0.2 * random.unit())), random);
      await writeFile(body, bytes);
    },
  },
  { name: 'without manifest', inflict: (folder) => rm(join(folder, manifestName)) },
  {
    name: 'swapped between corpora',
    inflict: async (_, [one = '', other = '']) => {
      const [first, second] = [await readFile(one), await readFile(other)];
      await writeFile(one, second);
      await writeFile(other, first);
    },
  },
  {
    name: 'from a future version',
    inflict: async (folder) => {
      const path = join(folder, manifestName);
      const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
      await writeFile(path, JSON.stringify({ ...manifest, version: Number(manifest.version) + 1 }));
    },
  },
];

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { seed, random, directory, mutation, fault } = context;
  const { documents } = scales[context.scale];
  await using stack = await startChaosStack({ directory, mutant: mutation });
  for (const [at, corpus] of corpora.entries()) {
    const producer = createProducer({ client: stack.client, corpus, name: `f11-${seed}-${corpus}` });
    const history = createHistory({ seed: seed + at, documents, dimension: ownDimension, space: ownSpace });
    await producer.send([...history.first(), ...history.changes(Math.floor(documents / 4))]);
  }
  const digests = await checkDigest(stack);
  const before = await digestsOf(stack);
  const index = stack.of('index');
  // Told to stop, it leaves a snapshot.
  await index.terminate();
  const live = join(stack.dataDirectory, 'snapshots');
  const whole = join(directory, 'whole-snapshots');
  await cp(live, whole, { recursive: true });
  const { folder } = await locate(live);
  const checks: Check[] = [];
  const boot = async (name: string, inflict: () => Promise<void>, isLoaded: boolean) => {
    await rm(live, { recursive: true, force: true });
    await cp(whole, live, { recursive: true });
    await inflict();
    checks.push(await bootCheck(stack, name, isLoaded, before));
    await index.kill9();
    context.report(`booted with a snapshot ${name}`);
  };
  await boot('as it was written', async () => undefined, true);
  let flips = 0;
  for (const { name, inflict } of fault ? inflictedFor(mutation) : []) {
    await boot(name, async () => inflict(folder, (await locate(live)).bodies, random), false);
    if (mutation !== undefined && checks.at(-1)?.held === false) break;
  }
  if (fault && mutation === undefined) {
    const flipped = await flipEverywhere(whole, random);
    flips = flipped.flips;
    checks.push(flipped.check);
  }
  return {
    checks: [...digests, ...checks, checkNoCrash(stack)],
    counts: {
      documents: documents * corpora.length,
      kills: checks.length - (flips > 0 ? 1 : 0),
      damages: fault ? damages.length : 0,
      bitFlips: flips,
    },
  };
}

/** A bit of a length or of a name can not be read, whoever looks: a broken guard shows where one of a value is flipped. */
function inflictedFor(mutation: string | undefined): readonly Damage[] {
  if (mutation === undefined) return damages;
  const [flipped] = damages.filter(({ name }) => name === 'bit-flipped');
  return flipped === undefined ? [] : Array.from({ length: mutationFlipsMax }, () => flipped);
}

const digestsOf = async ({ client }: ChaosStack) =>
  (await client.indexDigest()).indexes
    .map((one) => `${digestKey(one)} ${one.digest}`)
    .sort()
    .join('\n');

/** Boots the index worker: whether it took the snapshot, and what it holds then. */
async function bootCheck(stack: ChaosStack, name: string, isLoaded: boolean, before: string): Promise<Check> {
  const what = isLoaded ? 'is loaded' : 'is passed over, and the log folded instead';
  return attempt(`a snapshot ${name} ${what}, to the same digest`, async () => {
    await stack.of('index').start();
    await stack.of('index').untilReady();
    const { snapshot } = await stack.client.indexInfo();
    const isSame = (await digestsOf(stack)) === before;
    return {
      held: isSame && (snapshot !== null) === isLoaded,
      seen: `${snapshot === null ? 'passed over' : 'loaded'}, digests ${isSame ? 'equal' : 'DIFFER'}`,
    };
  });
}

/** The newest snapshot below a folder: where its manifest lies, and its bodies by descending size. */
async function locate(root: string): Promise<{ folder: string; bodies: string[] }> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const manifest = files
    .filter((file) => file.endsWith(manifestName))
    .sort()
    .at(-1);
  if (manifest === undefined) throw new Error(`there is no snapshot below ${root}`);
  const folder = manifest.slice(0, -manifestName.length - 1);
  const bodies = files.filter((file) => file.startsWith(folder) && file !== manifest);
  return { folder, bodies: bodies.sort() };
}

function flip(bytes: Buffer, at: number, random: Random): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
}

/** One bit at every stride of every file, one at a time: what is loaded then, in this process. */
async function flipEverywhere(
  root: string,
  random: Random,
): Promise<{ readonly flips: number; readonly check: Check }> {
  const store = createLocalObjectStore(root);
  const { folder, bodies } = await locate(root);
  let flips = 0;
  const loaded: string[] = [];
  for (const file of [...bodies, join(folder, manifestName)]) {
    const sound = await readFile(file);
    for (let at = 0; at < sound.byteLength; at += strideBytes) {
      const bytes = Buffer.from(sound);
      const place = Math.min(sound.byteLength - 1, at + below(random, strideBytes));
      flip(bytes, place, random);
      await writeFile(file, bytes);
      const { snapshot } = await loadNewestSnapshot(store, 'snapshots');
      if (snapshot !== undefined) loaded.push(`byte ${place} of ${file.slice(folder.length + 1)}`);
      flips++;
    }
    await writeFile(file, sound);
  }
  const { snapshot } = await loadNewestSnapshot(store, 'snapshots');
  const seen =
    loaded[0] === undefined ? `${flips} flips` : `${loaded.length} of ${flips} were loaded; first ${loaded[0]}`;
  return {
    flips,
    check: check(
      'one flipped bit is never loaded, and what is sound again is',
      loaded.length === 0 && snapshot !== undefined,
      seen,
    ),
  };
}
