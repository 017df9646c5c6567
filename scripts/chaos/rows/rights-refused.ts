import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { streamNames } from '../../../schemas/catalog.ts';
import { systemClock } from '../../../streams/clock.ts';
import { connectLog, type LogConnection } from '../../../streams/connection.ts';
import { provisionStreams } from '../../../streams/provision.ts';
import { loadCredentials } from '../../../streams/server/credentials.ts';
import { probeServer } from '../../../streams/server/probe.ts';
import { type RoleName, roleNames } from '../../../streams/server/roles.ts';
import { startTestServer, type TestServer } from '../../../streams/testing/test-server.ts';
import { endingWithParent } from '../../testing/ending-with-parent.ts';
import type { FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { check } from '../oracles/check.ts';

/** Without a name: whoever is on this machine. */
type Who = RoleName | 'anonymous';

interface Ask {
  readonly who: Who;
  readonly subject: string;
  readonly payload: string;
}

const refused = 'PERMISSIONS_VIOLATION';
const probeWaitMs = 20;
const requestTimeoutMs = 5_000;

/** F19: each process asks, with its own credentials, for what nobody may do. */
export const rightsRefused: FaultRow = {
  fault: 'F19',
  title:
    'messages deleted or purged, streams changed or deleted, others’ words spoken, by each process’s own credentials',
  passes: 'the server refuses each by its permissions, as `up` starts it too, and every stream is what it was',
  mutations: [
    {
      name: 'no-permissions',
      breaks: 'the server knows the users, and lets each do everything: what is left is the deny flags',
    },
  ],
  run,
};

async function run({ directory, fault, mutation, report }: FaultContext): Promise<FaultOutcome> {
  // The credentials of a data directory, as `up` has them.
  const credentials = await loadCredentials(join(directory, 'data'));
  await using server = await startTestServer({ credentials });
  const provisioner = await connectOperator(server);
  await provisionStreams(provisioner, { replicas: 1, streamBytes: {} });
  for (const subject of ['audit.baselines', 'replay.runs', 'ingest.workers'])
    await provisioner.jetStream.publish(subject, '{}');
  await provisioner.nats.close();
  await using open = mutation === 'no-permissions' ? await withoutPermissions(server) : undefined;
  if (open !== undefined) report('the server runs without permissions');
  const operator = await connectOperator(server);
  const before = await statesOf(operator);
  const asks = fault ? whatNobodyMay() : whatTheyMay();
  const outcomes = new Map<string, string[]>();
  for (const who of [...roleNames, 'anonymous'] as const) {
    const connection = await connect(server, who);
    for (const { subject, payload } of asks.filter((ask) => ask.who === who)) {
      const outcome = await outcomeOf(connection, subject, payload);
      outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), `${who}: ${subject}`]);
    }
    await connection.close();
  }
  const wanted = fault ? refused : 'answered';
  const others = [...outcomes].filter(([outcome]) => outcome !== wanted);
  const [other] = others;
  const after = fault ? await statesOf(operator).catch((error: unknown) => String(error)) : before;
  await operator.nats.close();
  return {
    checks: [
      check(
        fault ? 'every ask is refused by the permissions' : 'what each process needs is not refused',
        other === undefined,
        other === undefined ? `${asks.length} asks` : `${other[1].length} ${other[0]}, such as ${other[1][0]}`,
      ),
      check(
        'every stream is what it was',
        after === before,
        after === before ? `${streamNames.length} streams` : after,
      ),
    ],
    counts: { asks: asks.length, refused: outcomes.get(refused)?.length ?? 0 },
  };
}

function whatNobodyMay(): Ask[] {
  const calls = (stream: string): [string, string][] => [
    [`$JS.API.STREAM.DELETE.${stream}`, ''],
    [`$JS.API.STREAM.PURGE.${stream}`, ''],
    [`$JS.API.STREAM.MSG.DELETE.${stream}`, '{"seq":1}'],
  ];
  /** What the operator alone may: it makes the streams and takes them out. */
  const ofOperator = (stream: string): [string, string][] => [
    [`$JS.API.STREAM.UPDATE.${stream}`, JSON.stringify({ name: stream, subjects: ['stolen.>'], max_msgs: 1 })],
    [`$JS.API.STREAM.CREATE.${stream}-2`, JSON.stringify({ name: `${stream}-2`, subjects: [`stolen.${stream}.>`] })],
    [`$JS.API.STREAM.SNAPSHOT.${stream}`, '{"deliver_subject":"stolen"}'],
    [`$JS.API.STREAM.RESTORE.${stream}`, '{}'],
  ];
  const words = [
    'audit.baselines',
    'replay.runs',
    'evidence.stolen',
    'retries.INGEST.ingest.1',
    '$SYS.REQ.SERVER.PING',
  ];
  const all: readonly Who[] = [...roleNames, 'anonymous'];
  return all.flatMap((who) => {
    const mayMore = who === 'operator';
    const asked = streamNames.flatMap((stream) => [...calls(stream), ...(mayMore ? [] : ofOperator(stream))]);
    const spoken = words
      .filter((subject) => subject.startsWith('$SYS') || !mayMore)
      // The observer gathers evidence of the system's own life.
      .filter((subject) => !(who === 'observer' && subject.startsWith('evidence')))
      .map((subject): [string, string] => [subject, '{}']);
    return [...asked, ...spoken].map(([subject, payload]) => ({ who, subject, payload }));
  });
}

/** The control: each process speaks where it has to. */
function whatTheyMay(): Ask[] {
  const words: Readonly<Record<Who, string>> = {
    operator: 'audit.baselines',
    gateway: 'ingest.workers',
    ingest: 'documents.workers.a',
    embed: 'vectors.s.workers.a',
    index: 'searches.workers',
    playbook: 'playbooks.memory.a',
    observer: 'evidence.own',
    producer: 'ingest.workers',
    anonymous: 'ingest.workers',
  };
  return Object.entries(words).map(([who, subject]) => ({ who: who as Who, subject, payload: '{}' }));
}

function connectOperator({ optionsFor }: TestServer): Promise<LogConnection> {
  const { servers: url, user, pass: password } = optionsFor('operator');
  return connectLog({ url, user, password, name: 'chaos-operator', clock: systemClock });
}

async function connect(server: TestServer, who: Who): Promise<LogConnection['nats']> {
  if (who !== 'anonymous') return server.connectAs(who);
  return (await connectLog({ url: server.url, name: 'chaos-anonymous', clock: systemClock })).nats;
}

function outcomeOf(nats: LogConnection['nats'], subject: string, payload: string): Promise<string> {
  return nats.request(subject, Buffer.from(payload), { timeout: requestTimeoutMs }).then(
    () => 'answered',
    (error: { code?: unknown }) => String(error.code),
  );
}

/** Every stream with its subjects and what it holds. */
async function statesOf({ manager }: LogConnection): Promise<string> {
  const states: unknown[] = [];
  for await (const { config, state } of manager.streams.list())
    states.push([config.name, config.subjects, config.max_msgs, state.first_seq, state.last_seq, state.messages]);
  return JSON.stringify(states.sort());
}

/** The same server with the same users and streams, from its own configuration, the permissions left out. */
async function withoutPermissions(server: TestServer): Promise<AsyncDisposable> {
  await server.stop();
  const configuration = await readFile(join(server.directory, 'nats-server.conf'), 'utf8');
  const open = configuration
    .replace(/, permissions: \{\n[^\n]*\n[^\n]*\n *\} \}/g, ' }')
    .replace(/^port: .*$/m, `port: ${server.port}`);
  if (open.includes('permissions')) throw new Error('the permissions could not be taken out of the configuration');
  const path = join(server.directory, 'open.conf');
  await writeFile(path, open, { mode: 0o600 });
  const { command, args } = endingWithParent(server.binary.path, ['--config', path]);
  const child = spawn(command, args, { stdio: 'ignore' });
  while ((await probeServer({ port: server.port }))?.jetStream !== true) {
    if (child.exitCode !== null) throw new Error('the server does not start without permissions');
    await delay(probeWaitMs);
  }
  return { [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
