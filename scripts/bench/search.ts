import type { LoadReport } from '../loadgen/report.ts';
import { type Child, startChild } from './children.ts';
import { benchMain } from './command.ts';
import { type Generator, startGenerator } from './generator.ts';
import { type BenchStack, startBenchStack } from './processes.ts';
import { reportsDirectory } from './project.ts';
import { untilQuiet } from './quiet.ts';
import { failureFindings, ratioFindings } from './search-findings.ts';
import { type Measured, measureTargets, type Target } from './search-measure.ts';
import { bodiesCount, searchBodies, searchPath, servedRecall, typicalReply, warmUp } from './search-setup.ts';
import { corpusDimension, type EmbeddedWorker, embedWorkers, ingestWorkers } from './staffing-corpus.ts';
import { readSurroundings } from './surroundings.ts';

const smallCount = 200;
const corpora = { small: 'workers-small', large: 'workers' } as const;
const echoSubject = 'svc.index.bench-echo';
const settleDeadlineMs = 180_000;

await benchMain({
  name: 'search',
  script: 'dist/scripts/bench/search.js',
  summary: 'Matrix search over HTTP beside a bare echo through the bus and Fastify alone, by turns, as ratios.',
  reports: reportsDirectory('bench'),
  flags: {
    rounds: { default: '3', description: 'Rounds, each over all targets and concurrencies.' },
    seconds: { default: '4', description: 'Length of one run.' },
    concurrency: { default: '1,10,50', description: 'Requests under way at a time, separated by commas.' },
    workers: { default: '5000', description: 'Staffing workers in the larger corpus.' },
    seed: { default: '1', description: 'Of the workers and the queries.' },
    requests: { description: 'Instead: send so many searches in all, and count what failed.' },
    'cpu-profile': { description: 'Folder for processor profiles of gateway and index worker.' },
  },
  async run({ text, count, counts, number, note, argv }) {
    const seed = count('seed', 0, 2 ** 31);
    const profile = text('cpu-profile');
    const profiled = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    // The echoes write no line for each request either.
    const environment = { LAKEHOUSE_REQUEST_LOG: '0' };
    await using stack = await startBenchStack({
      note,
      environment,
      nodeArguments: { gateway: profiled, index: profiled },
    });
    const surroundings = readSurroundings('dist/scripts/bench/search.js', argv, stack.natsServerVersion);
    const embedded = await embedWorkers(stack.client, { count: count('workers', 200, 100_000), seed, note });
    await ingestWorkers(stack.client, corpora.small, embedded.slice(0, smallCount));
    await ingestWorkers(stack.client, corpora.large, embedded);
    await untilQuiet(stack.pidOf('index'), settleDeadlineMs);
    note(`ingested ${smallCount} and ${embedded.length} workers`);
    await using generator = await startGenerator();
    const targets = searchTargets(stack, generator, seed);
    for (const { url, bodies } of targets) await warmUp(generator, url, bodies);
    const concurrencies = counts('concurrency', 1, 1_000);
    if (text('requests') !== undefined) {
      const requests = count('requests', 1, 1e8);
      const reports = await sendMany(generator, targets, concurrencies, requests);
      return { findings: { ...failureFindings(reports, requests, concurrencies), seed }, surroundings };
    }
    const rounds = count('rounds', 1, 100);
    const durationMs = number('seconds', 0.2, 600) * 1_000;
    const measured = await measureBesideEchoes(stack, generator, targets, { concurrencies, rounds, durationMs, note });
    const recall = await recalls(stack, embedded, seed);
    const sizes = { small: smallCount, large: embedded.length };
    const findings = ratioFindings(measured, recall, concurrencies, sizes);
    const settings = { rounds, seconds: durationMs / 1_000, bodies: bodiesCount, dimension: corpusDimension, k: 10 };
    return { findings: { ...findings, seed, settings }, surroundings };
  },
});

function searchTargets(stack: BenchStack, generator: Generator, seed: number): readonly [Target, Target] {
  const url = `${stack.gatewayUrl}${searchPath}`;
  const processes = {
    HTTP: stack.pidOf('gateway'),
    service: stack.pidOf('index'),
    'nats-server': stack.pidOf('nats-server'),
    generator: generator.pid,
  };
  return [
    { name: 'search, small', url, processes, bodies: searchBodies(corpora.small, seed) },
    { name: 'search, large', url, processes, bodies: searchBodies(corpora.large, seed) },
  ];
}

type Extent = Omit<Parameters<typeof measureTargets>[1], 'targets'>;

/** The echoes answer with a reply of middle length, and are asked with the searches' own bodies: the same sizes. */
async function measureBesideEchoes(
  stack: BenchStack,
  generator: Generator,
  searches: readonly [Target, Target],
  extent: Extent,
): Promise<Measured[]> {
  const [, { url, bodies }] = searches;
  const reply = await typicalReply(url, bodies);
  const setting = { BENCH_REPLY: reply, BENCH_SUBJECT: echoSubject };
  await using service = await startChild('echo-service', { ...setting, ...stack.environmentOf('index') });
  const ofGateway = { ...setting, ...stack.environmentOf('gateway') };
  await using gateway = await startChild('echo-gateway', { ...ofGateway, BENCH_TRACES: 'on' });
  await using traceless = await startChild('echo-gateway', { ...ofGateway, BENCH_TRACES: 'off' });
  await using alone = await startChild('fastify-json', setting);
  await using bytes = await startChild('fastify-bytes', setting);
  const common = { generator: generator.pid };
  const bus = { service: pidOf(service), 'nats-server': stack.pidOf('nats-server'), ...common };
  const echoes: Target[] = [
    { name: 'bare echo', url: `${gateway.greeting}/echo`, bodies, processes: { HTTP: pidOf(gateway), ...bus } },
    {
      name: 'echo, no traces',
      url: `${traceless.greeting}/echo`,
      bodies,
      processes: { HTTP: pidOf(traceless), ...bus },
    },
    { name: 'Fastify alone', url: `${alone.greeting}/echo`, bodies, processes: { HTTP: pidOf(alone), ...common } },
    { name: 'Fastify, bytes', url: `${bytes.greeting}/echo`, bodies, processes: { HTTP: pidOf(bytes), ...common } },
  ];
  for (const echo of echoes) await warmUp(generator, echo.url, bodies);
  return await measureTargets(generator, { ...extent, targets: [...searches, ...echoes] });
}

function pidOf(child: Child): number {
  return child.process.pid ?? 0;
}

async function recalls(stack: BenchStack, embedded: readonly EmbeddedWorker[], seed: number) {
  return {
    small: await servedRecall(stack, corpora.small, embedded.slice(0, smallCount), seed),
    large: await servedRecall(stack, corpora.large, embedded, seed),
  };
}

/** Shares the requests out over corpora and concurrencies. */
async function sendMany(
  generator: Generator,
  targets: readonly Target[],
  concurrencies: readonly number[],
  requests: number,
): Promise<LoadReport[]> {
  const parts = concurrencies.flatMap((concurrency) => targets.map((target) => ({ concurrency, target })));
  const reports: LoadReport[] = [];
  for (const [at, { concurrency, target }] of parts.entries()) {
    const share = Math.floor((requests * (at + 1)) / parts.length) - Math.floor((requests * at) / parts.length);
    if (share > 0)
      reports.push(await generator.run({ url: target.url, bodies: target.bodies, concurrency, requests: share }));
  }
  return reports;
}
