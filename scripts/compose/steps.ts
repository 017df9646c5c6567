import type { GatewayClient } from '../../gateway/client/client.ts';
import type { LogConnection } from '../../streams/connection.ts';
import { createServiceClient } from '../../streams/service-client.ts';
import { readStreamState } from '../../streams/stream-reader.ts';
import { forkliftQuery } from '../staffing/demand.ts';
import { workers } from '../staffing/workers.ts';
import type { Docker } from './docker.ts';

/** What a running system of containers is asked with. */
export interface Bench extends Docker {
  readonly client: GatewayClient;
  /** Without its token. */
  readonly stranger: GatewayClient;
  /** To nats-server, as a role. Closed by whoever opened it. */
  readonly connectAs: (role: 'operator' | 'gateway') => Promise<LogConnection>;
}

export interface Step {
  readonly name: string;
  /** Resolves to what was seen; throws where it is not so. */
  run(bench: Bench): Promise<Readonly<Record<string, string | number | boolean>>>;
}

const documents = 200;
const upWaitSeconds = 600;
const recoverWaitMs = 60_000;
const pollMs = 100;
const question = { ...forkliftQuery, corpora: ['workers'], k: 5, use_playbook: true };
const answer = 'w-43';

function demand(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** The whole life of an installation, in order. */
export const steps: readonly Step[] = [
  {
    name: 'the file is valid',
    run: async ({ compose }) => ({ problems: (await compose('config', '--quiet')).length }),
  },
  { name: 'up, until everything is healthy', run: up },
  { name: 'no container has more rights than it needs', run: confined },
  { name: 'nobody gets in without the token', run: refused },
  { name: "no process can do what is another one's", run: permitted },
  { name: 'documents are ingested, embedded and found', run: ingest },
  { name: 'an answer that was chosen is lifted', run: learn },
  { name: 'the index is snapshotted to S3', run: snapshot },
  { name: 'the index worker is killed and comes back', run: killIndex },
  { name: 'nats-server is killed and comes back', run: killServer },
  { name: 'the index is rebuilt, compared and switched', run: rebuild },
  { name: 'down, and up again with everything there', run: again },
  { name: 'what is served is the fold of the log', run: verify },
];

async function up({ compose, client }: Bench) {
  await compose('up', '--detach', '--wait', '--wait-timeout', String(upWaitSeconds));
  const states = await statesOf(compose);
  const running = states.filter(({ State }) => State === 'running');
  demand(
    running.every(({ Health }) => Health === 'healthy'),
    `not all are healthy: ${JSON.stringify(states)}`,
  );
  demand(
    states.every(({ State, ExitCode }) => State === 'running' || ExitCode === 0),
    'a one-shot service failed',
  );
  return {
    healthy: running.length,
    done_once: states.length - running.length,
    embedder: (await client.embedStats()).space,
  };
}

interface State {
  readonly Service: string;
  readonly ID: string;
  readonly State: string;
  readonly Health: string;
  readonly ExitCode: number;
}

async function statesOf(compose: Bench['compose']): Promise<State[]> {
  const lines = await compose('ps', '--all', '--format', 'json');
  return lines.split('\n').map((line) => JSON.parse(line) as State);
}

interface Inspected {
  readonly Config: { readonly User: string };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[];
    readonly Privileged: boolean;
    readonly SecurityOpt: readonly string[];
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[]>> | null;
  };
}

async function confined({ docker, compose }: Bench) {
  const ids = (await statesOf(compose)).map(({ ID }) => ID);
  const all = JSON.parse(await docker('inspect', ...ids)) as Inspected[];
  let published = 0;
  for (const { Config, HostConfig } of all) {
    demand(Config.User === '10001:10001', `a container runs as "${Config.User}"`);
    demand(HostConfig.ReadonlyRootfs && !HostConfig.Privileged, 'a container can write to its own files');
    demand(HostConfig.CapDrop.includes('ALL'), 'a container has capabilities');
    demand(HostConfig.SecurityOpt.includes('no-new-privileges:true'), 'a container can gain privileges');
    for (const bindings of Object.values(HostConfig.PortBindings ?? {}))
      for (const { HostIp } of bindings) {
        demand(HostIp === '127.0.0.1', `a port is published on ${HostIp}`);
        published += 1;
      }
  }
  return { containers: all.length, ports_on_loopback: published };
}

async function refused({ client, stranger }: Bench) {
  await client.indexInfo();
  const told = await stranger.indexInfo().then(
    () => 200,
    (error: { problem?: { status: number } }) => error.problem?.status ?? 0,
  );
  demand(told === 401, `without a token the gateway answered ${told}`);
  return { without_token: told };
}

async function permitted({ connectAs }: Bench) {
  const gateway = await connectAs('gateway');
  gateway.nats.publish('audit.baselines', '{"recorded_at":"2026-01-01T00:00:00Z","metrics":{}}');
  const deleted = await gateway.manager.streams.delete('INGEST').catch(() => false);
  await gateway.drain();
  const operator = await connectAs('operator');
  const { lastSequence } = await readStreamState(operator, 'AUDIT_BASELINES');
  await operator.drain();
  demand(lastSequence === 0, "the gateway's user appended to AUDIT_BASELINES");
  demand(deleted === false, "the gateway's user deleted a stream");
  return { gateway_appends_baselines: false, gateway_deletes_streams: false };
}

async function ingest({ client }: Bench) {
  const taken = await client.ingest('workers', [...workers({ count: documents })], { waitSearchable: true });
  demand(taken.searchable === documents, `${taken.searchable} of ${documents} can be found`);
  const { results } = await client.search({ ...question, use_playbook: false });
  demand(results.length === question.k, `a search found ${results.length}`);
  return { documents: taken.accepted, first: results[0]?.id ?? '' };
}

async function learn({ client }: Bench) {
  const { query_text, query_role } = forkliftQuery;
  await client.record({ query_text, role: query_role, answer_id: answer, answer_corpus: 'workers', score: 1 });
  const { boosted, injected } = await client.search(question);
  demand(boosted + injected === 1, `the recorded answer lifted ${boosted + injected}`);
  return { boosted, injected };
}

async function snapshot({ connectAs, client, compose }: Bench) {
  const operator = await connectAs('operator');
  const service = createServiceClient(operator);
  await service.request('svc.index.snapshot', Buffer.from('{}'), { deadlineMs: 30_000 });
  service.close();
  await operator.drain();
  const { snapshot: newest } = await client.indexInfo();
  demand(newest !== null, 'the index has no snapshot');
  const local = await compose('exec', '-T', 'index', 'node', '-p', "require('fs').existsSync('/data/snapshots')");
  demand(local === 'false', "the snapshot lies in the container's own volume");
  return { key: newest?.key ?? '' };
}

async function killIndex(bench: Bench) {
  const before = await answersOf(bench);
  const recoveredMs = await killAndWait(bench, 'index');
  demand((await answersOf(bench)) === before, 'the answers differ after the restart');
  const { snapshot: newest } = await bench.client.indexInfo();
  demand(newest !== null, 'the index worker did not take up its snapshot');
  return { recovered_ms: recoveredMs, from_snapshot: true };
}

async function killServer(bench: Bench) {
  const before = await answersOf(bench);
  const recoveredMs = await killAndWait(bench, 'nats');
  const one = [{ id: 'w-9001', text: 'Said after nats-server came back' }];
  const { searchable } = await bench.client.ingest('workers', one, { waitSearchable: true });
  demand(searchable === 1, 'nothing can be ingested after nats-server came back');
  demand((await answersOf(bench)) === before, 'the answers differ after nats-server came back');
  return { recovered_ms: recoveredMs };
}

/** Kills a container's process from the machine, as a crash would; resolves to how long it took until searches answer. */
async function killAndWait({ docker, compose, client }: Bench, service: string): Promise<number> {
  const id = await compose('ps', '--quiet', service);
  const pid = Number(await docker('inspect', '--format', '{{.State.Pid}}', id));
  const restarts = async () => Number(await docker('inspect', '--format', '{{.RestartCount}}', id));
  const earlier = await restarts();
  const began = performance.now();
  process.kill(pid, 'SIGKILL');
  for (;;) {
    const answers =
      (await restarts()) > earlier &&
      (await client.search(question).then(
        () => true,
        () => false,
      ));
    if (answers) return Math.round(performance.now() - began);
    demand(performance.now() - began < recoverWaitMs, `${service} did not come back within ${recoverWaitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function answersOf({ client }: Bench): Promise<string> {
  const { results } = await client.search(question);
  return JSON.stringify(results.map(({ id, distance }) => [id, distance]));
}

async function rebuild(bench: Bench) {
  const before = await answersOf(bench);
  const parameters = ['run', '--rm', '-T', 'operator', 'rebuild', '--corpus', 'workers', '--compare', '--json'];
  const { runs } = JSON.parse(await bench.compose(...parameters)) as { runs: { equal: boolean; switched: boolean }[] };
  const isWell = runs.length > 0 && runs.every(({ equal, switched }) => equal && switched);
  demand(isWell, `the rebuild ended as ${JSON.stringify(runs)}`);
  demand((await answersOf(bench)) === before, 'the rebuilt index answers differently');
  return { equal: true, switched: true };
}

async function again(bench: Bench) {
  const { compose, client, connectAs } = bench;
  const before = await answersOf(bench);
  await compose('down');
  const began = performance.now();
  await compose('up', '--detach', '--wait', '--wait-timeout', String(upWaitSeconds));
  const upMs = Math.round(performance.now() - began);
  demand((await answersOf(bench)) === before, 'the answers differ after down and up');
  const { snapshot: newest } = await client.indexInfo();
  const operator = await connectAs('operator');
  const { lastSequence } = await readStreamState(operator, 'INGEST');
  await operator.drain();
  demand(lastSequence === documents + 1, `INGEST ends at ${lastSequence}`);
  return { up_ms: upMs, ingest_sequence: lastSequence, from_snapshot: newest !== null };
}

async function verify({ compose }: Bench) {
  const report = JSON.parse(await compose('run', '--rm', '-T', 'operator', 'verify', '--json')) as { equal: boolean };
  demand(report.equal, 'the served state is not the fold of the log');
  const listed = JSON.parse(await compose('run', '--rm', '-T', 'operator', 'rejected', 'list', '--json')) as {
    found: number;
  };
  demand(listed.found === 0, `${listed.found} messages were set aside`);
  return { equal: report.equal, rejected: listed.found };
}
