import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createGatewayClient } from '../../gateway/client/client.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog } from '../../streams/connection.ts';
import { findFreePort } from '../../streams/server/ports.ts';
import { projectDirectory } from '../bench/project.ts';
import { readSurroundings } from '../bench/surroundings.ts';
import { createDocker, type Docker } from './docker.ts';
import { type ComposeReport, reportText, type StepOutcome } from './report.ts';
import { type Bench, steps } from './steps.ts';

const usage = `Brings docker-compose.yml up with a Docker engine and takes it through an installation's whole life; writes
reports/compose/. Containers and volumes are those of a project of its own and are removed at the end.

  npm run test:compose                     with the engine that "docker" talks to, and the real images
  npm run test:compose -- --stand-in DIR   as root on Debian, where no image can be had: an engine and images of its own
                                           in DIR, which may be there from an earlier run
`;
const execute = promisify(execFile);
const clientDeadlineMs = 120_000;
const root = projectDirectory();
const argv = process.argv.slice(2);
const [flag, directory] = argv;
if (argv.length > 0 && !(flag === '--stand-in' && directory !== undefined && argv.length === 2)) {
  process.stderr.write(usage);
  process.exit(flag === '--help' ? 0 : 2);
}
process.exitCode = await main(directory === undefined ? undefined : resolve(directory));

async function main(standIn: string | undefined): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'lakehouse-compose-'));
  try {
    const engine = standIn === undefined ? {} : await startStandIn(standIn);
    return await runSteps(scratch, engine, standIn);
  } finally {
    if (standIn !== undefined) await stopStandIn(standIn);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The engine's address for `docker`, once it runs and has the images. */
async function startStandIn(at: string): Promise<Record<string, string>> {
  say('making an engine and stand-in images (minutes, the first time)');
  const script = join(root, 'scripts', 'compose', 'stand-in', 'prepare.sh');
  await execute('bash', [script, at], { maxBuffer: 256 * 1024 * 1024 });
  return { DOCKER_HOST: `unix://${join(at, 'engine', 'docker.sock')}`, DOCKER_CONFIG: join(at, 'engine', 'config') };
}

/** Ends the engine by its process id. What it made stays in its directory. */
async function stopStandIn(at: string): Promise<void> {
  const pid = Number(await readFile(join(at, 'engine', 'pid'), 'utf8').catch(() => '0'));
  if (pid > 0) process.kill(pid, 'SIGTERM');
}

async function runSteps(scratch: string, engine: Record<string, string>, standIn: string | undefined): Promise<number> {
  const environmentFile = join(scratch, '.env');
  await execute('sh', [join(root, 'scripts', 'compose', 'generate-env.sh'), environmentFile]);
  const secrets = Object.fromEntries(
    (await readFile(environmentFile, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );
  const [gatewayPort, natsPort] = [await findFreePort(), await findFreePort()];
  const environment = {
    ...engine,
    LAKEHOUSE_GATEWAY_PORT: String(gatewayPort),
    LAKEHOUSE_NATS_PORT: String(natsPort),
    // The model of Ollama's that is the embedded one, so that a stand-in can serve it.
    ...(standIn === undefined ? {} : { LAKEHOUSE_OLLAMA_MODEL: 'all-minilm' }),
  };
  const files = [join(root, 'docker-compose.yml')];
  const docker = createDocker({
    project: `lakehouse-test-${process.pid}`,
    directory: root,
    files,
    environmentFile,
    environment,
  });
  const url = `http://127.0.0.1:${gatewayPort}`;
  const bench: Bench = {
    ...docker,
    client: createGatewayClient({ url, token: secrets.LAKEHOUSE_TOKEN, deadlineMs: clientDeadlineMs }),
    stranger: createGatewayClient({ url, token: undefined, deadlineMs: clientDeadlineMs }),
    connectAs: (role) =>
      connectLog({
        url: `nats://127.0.0.1:${natsPort}`,
        user: role,
        password: secrets[`LAKEHOUSE_NATS_PASSWORD_${role.toUpperCase()}`],
        name: 'test-compose',
        clock: systemClock,
      }),
  };
  const surroundings = readSurroundings(
    'scripts/compose/main.js',
    standIn === undefined ? [] : ['--stand-in', 'DIR'],
    '',
  );
  const outcomes: StepOutcome[] = [];
  try {
    if (standIn === undefined) await docker.compose('build');
    for (const step of steps) {
      const outcome = await runStep(step, bench);
      outcomes.push(outcome);
      say(
        `${outcome.ok ? 'ok    ' : 'FAILED'} ${step.name} (${outcome.duration_ms} ms) ${JSON.stringify(outcome.seen)}`,
      );
      if (outcome.ok) continue;
      say(outcome.error ?? '');
      say(await docker.compose('logs', '--tail', '20').catch((error: unknown) => String(error)));
      return 1;
    }
    const { node, packages } = surroundings.versions;
    const report: ComposeReport = {
      schema: 'lakehouse.compose.v1',
      recorded_at: new Date().toISOString(),
      surroundings: { ...surroundings, versions: { node, packages } },
      engine: await versionsOf(docker),
      stand_in: standIn !== undefined,
      images: await imagesOf(docker),
      steps: outcomes,
    };
    await mkdir(join(root, 'reports', 'compose'), { recursive: true });
    await writeFile(join(root, 'reports', 'compose', 'compose.json'), `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(join(root, 'reports', 'compose', 'compose.md'), reportText(report));
    return 0;
  } finally {
    await docker.compose('--profile', 'tools', 'down', '--volumes').catch((error: unknown) => say(String(error)));
  }
}

async function runStep(step: (typeof steps)[number], bench: Bench): Promise<StepOutcome> {
  const began = performance.now();
  const duration = () => Math.round(performance.now() - began);
  try {
    const seen = await step.run(bench);
    return { name: step.name, ok: true, duration_ms: duration(), seen };
  } catch (error) {
    return { name: step.name, ok: false, duration_ms: duration(), seen: {}, error: String(error) };
  }
}

async function versionsOf({ docker, compose }: Docker): Promise<ComposeReport['engine']> {
  return {
    docker: await docker('version', '--format', '{{.Server.Version}}'),
    compose: await docker('compose', 'version', '--short'),
    node: await compose('exec', '-T', 'gateway', 'node', '--version'),
    nats_server: await compose('exec', '-T', 'nats', 'nats-server', '--version'),
  };
}

async function imagesOf({ docker, compose }: Docker): Promise<ComposeReport['images']> {
  const names = [...new Set((await compose('config', '--images')).split('\n'))].sort();
  return Promise.all(
    names.map(async (name) => ({ name, id: await docker('image', 'inspect', '--format', '{{.Id}}', name) })),
  );
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
