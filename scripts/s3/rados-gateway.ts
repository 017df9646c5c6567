import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from '../../streams/server/ports.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';

const run = promisify(execFile);

/** A real S3 service for tests: Ceph's gateway over one monitor and one object store in memory, all on loopback. */
export interface RadosGateway extends AsyncDisposable {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of Ceph, as it tells it itself. */
  readonly version: string;
}

const programs = ['ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin', 'ceph', 'monmaptool', 'ceph-authtool'] as const;
const packages = 'radosgw ceph-mon ceph-osd ceph-common';
const memoryStoreBytes = 2 * 1024 ** 3;
const commandTimeoutMs = 60_000;
const readyDeadlineMs = 90_000;
const lookEveryMs = 200;
const logTailBytes = 2_000;

/** @throws CommandError 3 where Ceph is not installed, 1 where it does not come up */
export async function startRadosGateway(): Promise<RadosGateway> {
  const version = await readVersion();
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-ceph-'));
  const children: ChildProcess[] = [];
  const stop = async () => {
    // The gateway first: it would wait long for a monitor that is gone.
    for (const child of [...children].reverse()) await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const [monitorPort, legacyPort, port] = [await findFreePort(), await findFreePort(), await findFreePort()];
    const monitor = `[v2:127.0.0.1:${monitorPort},v1:127.0.0.1:${legacyPort}]`;
    const cluster = { directory, fsid: randomUUID(), monitor };
    await writeFile(join(directory, 'ceph.conf'), configurationText(cluster));
    const start = (program: string, parameters: readonly string[]) =>
      children.push(launch(directory, program, [...parameters, '-f']));
    await prepareMonitor(cluster);
    start('ceph-mon', ['-i', 'a']);
    await prepareStore(directory);
    start('ceph-osd', ['-i', '0']);
    start('radosgw', ['-n', 'client.admin', '--rgw-frontends', `beast endpoint=127.0.0.1:${port}`]);
    const endpoint = `http://127.0.0.1:${port}`;
    await untilAnswers(endpoint, directory);
    const keys = { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: randomBytes(20).toString('hex') };
    await makeUser(directory, keys);
    return { endpoint, ...keys, version, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Cluster {
  readonly directory: string;
  readonly fsid: string;
  readonly monitor: string;
}

/** One of everything, no authentication between the parts, which listen on loopback alone; S3 itself asks for keys. */
function configurationText({ directory, fsid, monitor }: Cluster): string {
  const settings = {
    fsid,
    mon_host: monitor,
    mon_initial_members: 'a',
    public_addr: '127.0.0.1',
    cluster_addr: '127.0.0.1',
    ms_bind_ipv6: 'false',
    auth_cluster_required: 'none',
    auth_service_required: 'none',
    auth_client_required: 'none',
    // Without keys nothing can be encrypted.
    ms_mon_client_mode: 'crc',
    ms_mon_service_mode: 'crc',
    ms_mon_cluster_mode: 'crc',
    osd_pool_default_size: 1,
    osd_pool_default_min_size: 1,
    osd_pool_default_pg_num: 8,
    osd_pool_default_pgp_num: 8,
    osd_crush_chooseleaf_type: 0,
    mon_allow_pool_size_one: 'true',
    mon_max_pg_per_osd: 1_000,
    mon_data_avail_crit: 1,
    mon_data_avail_warn: 1,
    osd_objectstore: 'memstore',
    memstore_device_bytes: memoryStoreBytes,
    run_dir: directory,
    admin_socket: `${directory}/$name.$pid.asok`,
    log_file: `${directory}/$name.log`,
    pid_file: `${directory}/$name.pid`,
    keyring: `${directory}/keyring`,
    mon_data: `${directory}/mon`,
    osd_data: `${directory}/osd`,
    rgw_data: `${directory}/rgw`,
  };
  return `[global]\n${Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')}`;
}

async function prepareMonitor({ directory, fsid, monitor }: Cluster): Promise<void> {
  for (const folder of ['mon', 'osd', 'rgw']) await mkdir(join(directory, folder));
  const [map, keyring] = [join(directory, 'monmap'), join(directory, 'keyring')];
  await run('monmaptool', ['--create', '--fsid', fsid, '--addv', 'a', monitor, map]);
  await run('ceph-authtool', ['--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *']);
  const allowed = ['mon', 'osd', 'mgr'].flatMap((part) => ['--cap', part, 'allow *']);
  await run('ceph-authtool', [keyring, '--gen-key', '-n', 'client.admin', ...allowed]);
  await ceph(directory, 'ceph-mon', ['-i', 'a', '--mkfs', '--monmap', map, '--keyring', keyring]);
}

async function prepareStore(directory: string): Promise<void> {
  const uuid = randomUUID();
  await ceph(directory, 'ceph', ['osd', 'new', uuid, '0']);
  await ceph(directory, 'ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', uuid]);
}

async function makeUser(
  directory: string,
  { accessKeyId, secretAccessKey }: Pick<RadosGateway, 'accessKeyId' | 'secretAccessKey'>,
): Promise<void> {
  const user = ['--uid', 'lakehouse', '--display-name', 'lakehouse'];
  const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey];
  await ceph(directory, 'radosgw-admin', ['-n', 'client.admin', 'user', 'create', ...user, ...keys]);
}

function ceph(directory: string, program: string, parameters: readonly string[]) {
  return run(program, ['-c', join(directory, 'ceph.conf'), ...parameters], { timeout: commandTimeoutMs });
}

function launch(directory: string, program: string, parameters: readonly string[]): ChildProcess {
  const child = spawn(program, ['-c', join(directory, 'ceph.conf'), ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(join(directory, `${program}.out`));
  child.stdout.pipe(output);
  child.stderr.pipe(output);
  // Told by `untilAnswers`, which waits for what did not start.
  child.once('error', () => undefined);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  // Nothing that it holds is worth an orderly end.
  child.kill('SIGKILL');
  await closed;
}

async function untilAnswers(endpoint: string, directory: string): Promise<void> {
  const deadline = performance.now() + readyDeadlineMs;
  for (;;) {
    const answered = await fetch(endpoint).then(
      (response) => response.ok,
      () => false,
    );
    if (answered) return;
    if (performance.now() > deadline) throw notUp(await logTail(directory));
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

async function logTail(directory: string): Promise<string> {
  const text = await readFile(join(directory, 'client.admin.log'), 'utf8').catch(() => '');
  return text.slice(-logTailBytes);
}

function notUp(log: string): CommandError {
  return new CommandError(exitCodes.failed, {
    happened: `Ceph's gateway did not answer within ${readyDeadlineMs / 1_000} s: ${log}`,
    means: 'There is no S3 service to test against.',
    remedy: 'Try again; or set S3_ENDPOINT, S3_BUCKET and the AWS_* credentials to test against a service of yours.',
  });
}

async function readVersion(): Promise<string> {
  for (const program of programs) {
    const found = await run('which', [program]).then(
      () => true,
      () => false,
    );
    if (!found)
      throw new CommandError(exitCodes.absent, {
        happened: `"${program}" of Ceph is not installed`,
        means: 'There is no S3 service to test against.',
        remedy: `Run "apt-get install -y --no-install-recommends ${packages}", or set S3_ENDPOINT, S3_BUCKET and the AWS_* credentials to test against a service of yours.`,
      });
  }
  return (await run('ceph', ['--version'])).stdout.trim();
}
