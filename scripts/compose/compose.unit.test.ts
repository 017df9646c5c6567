import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { environmentNames, readConfiguration } from '../../schemas/configuration.ts';
import { passwordVariable } from '../../streams/server/configure.ts';
import { roleNames } from '../../streams/server/roles.ts';
import { flagsOf, gatewayName, workerNames } from '../stack/plan.ts';
import { serverRuntime } from '../stack/server-runtime.ts';
import { composeNatsConfig } from './nats-config.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const volumeSchema = z.union([z.string(), z.object({ source: z.string(), target: z.string() })]);
const serviceSchema = z.object({
  image: z.string(),
  user: z.string(),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  tmpfs: z.array(z.string()),
  restart: z.string(),
  init: z.boolean(),
  pids_limit: z.number(),
  logging: z.object({ options: z.object({ 'max-size': z.string(), 'max-file': z.string() }) }),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(volumeSchema).default([]),
  networks: z.array(z.string()),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }).optional(),
  build: z.unknown().optional(),
  privileged: z.undefined().optional(),
  cap_add: z.undefined().optional(),
  env_file: z.undefined().optional(),
});
const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.unknown()),
});
type Service = z.output<typeof serviceSchema>;

const text = read('docker-compose.yml');
const compose = composeSchema.parse(parse(text, { merge: true }));
const services = Object.entries(compose.services);
const once = ['volumes', 'model', 'provision', 'operator'];
const lasting = services.filter(([name]) => !once.includes(name));
const ours = services.filter(([, { image }]) => image.startsWith('lakehouse:'));
const processes = {
  ingest: 'dist/workers/ingest/main.js',
  embed: 'dist/workers/embed/main.js',
  index: 'dist/workers/index/main.js',
  playbook: 'dist/workers/playbook/main.js',
  observer: 'dist/workers/observer/main.js',
  gateway: 'dist/gateway/server.js',
} as const;
const service = (name: string): Service => {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
};
/** `${NAME:-default}` as its default, `${NAME:?...}` as a value of ours. */
const filledIn = (value: string) =>
  value.replace(/\$\{[A-Z_0-9]+:-([^}]*)\}/g, '$1').replace(/\$\{([A-Z_0-9]+):\?[^}]*\}/g, 'secret-of-$1');

describe('docker-compose.yml', () => {
  it('has every process of the system, and what they need', () => {
    for (const name of [...workerNames, gatewayName] as const)
      expect(service(name).command).toEqual([...flagsOf(name), processes[name]]);
    expect(services.map(([name]) => name).sort()).toEqual(
      [...Object.keys(processes), ...once, 'nats', 'ollama', 'seaweedfs'].sort(),
    );
  });

  it.each(services)('%s: pinned, without root, without rights, on a read-only file system, bounded', (_, one) => {
    expect(one.image).toMatch(/^[a-z0-9/-]+:v?\d+\.\d+\.\d+(-[a-z0-9-]+)?$|^chrislusf\/seaweedfs:4\.\d+$/);
    expect(one.user).toBe('10001:10001');
    expect(one.read_only).toBe(true);
    expect(one.cap_drop).toEqual(['ALL']);
    expect(one.security_opt).toContain('no-new-privileges:true');
    for (const mount of one.tmpfs) expect(mount).toMatch(/:size=\d+m/);
    expect(one.pids_limit).toBeGreaterThan(0);
    expect(one.init).toBe(true);
  });

  it('takes SeaweedFS of 4.40 or later, and Node.js of 22 or later', () => {
    expect(Number(service('seaweedfs').image.split(':4.')[1])).toBeGreaterThanOrEqual(40);
    const bases = [...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base ?? '');
    expect(bases).toHaveLength(2);
    for (const base of bases)
      expect(Number(/^node:(\d+)\.\d+\.\d+-bookworm-slim$/.exec(base)?.[1])).toBeGreaterThan(21);
  });

  it.each(lasting)('%s: tells its health, comes again after a crash, and waits for what it needs', (_, one) => {
    expect(one.healthcheck?.test?.[0]).toBe('CMD');
    expect(one.restart).toBe('unless-stopped');
    expect(Object.keys(one.depends_on).length).toBeGreaterThan(0);
    for (const [name, { condition }] of Object.entries(one.depends_on))
      expect(condition, name).toBe(once.includes(name) ? 'service_completed_successfully' : 'service_healthy');
  });

  it('asks our processes whether they are ready, not only whether they live', () => {
    for (const name of Object.keys(processes)) expect(service(name).healthcheck?.test?.at(-1)).toMatch(/\/readyz$/);
  });

  it('reference 10.55: is reached on loopback alone, and the gateway never without a token', () => {
    const published = services.flatMap(([name, { ports }]) => ports.map((port) => `${name} ${filledIn(port)}`));
    expect(published.sort()).toEqual(['gateway 127.0.0.1:3110:3110', 'nats 127.0.0.1:4222:4222']);
    expect(service('gateway').environment.LAKEHOUSE_TOKEN).toMatch(/^\$\{LAKEHOUSE_TOKEN:\?/);
  });

  it('keeps the bus off the networks outside', () => {
    expect(compose.networks.bus?.internal).toBe(true);
    const outside = services.filter(([, { networks }]) => networks.some((name) => name !== 'bus'));
    expect(outside.map(([name]) => name).sort()).toEqual(['gateway', 'nats', 'ollama']);
  });

  it('keeps what must last in named volumes, and gives each folder of others to the common user', () => {
    const used = services.flatMap(([, { volumes }]) =>
      volumes.map((one) => (typeof one === 'string' ? (one.split(':')[0] ?? '') : one.source)),
    );
    const named = used.filter((name) => !name.startsWith('./'));
    expect(new Set(named)).toEqual(new Set(Object.keys(compose.volumes)));
    expect(used.filter((name) => name.startsWith('./'))).toEqual(['./scripts/compose/nats-server.conf']);
    const prepared = service('volumes').volumes.map((one) => String(one).split(':')[0]);
    for (const name of ['nats', 'seaweedfs', 'ollama']) {
      const [mount] = service(name).volumes.filter((one) => typeof one !== 'string');
      expect(prepared, name).toContain(typeof mount === 'string' ? mount : mount?.source);
    }
    const folders = service('volumes').command?.slice(1) ?? [];
    for (const folder of folders) expect(read('Dockerfile')).toContain(folder);
  });

  it.each(ours)('%s: is configured by variables that exist, and values that fit', (_, one) => {
    // Of the command line, not of a process.
    const known = [...environmentNames, 'LAKEHOUSE_GATEWAY_URL', 'TMPDIR'];
    expect(Object.keys(one.environment).filter((name) => !known.includes(name))).toEqual([]);
    const values = Object.fromEntries(Object.entries(one.environment).map(([name, value]) => [name, filledIn(value)]));
    expect(() => readConfiguration(values)).not.toThrow();
  });

  it('connects each process as its own user, and gives it no other password', () => {
    for (const name of Object.keys(processes)) {
      const { environment } = service(name);
      expect(environment.LAKEHOUSE_NATS_USER).toBe(name);
      const secrets = Object.values(environment).flatMap((value) => [...value.matchAll(/\$\{([A-Z_0-9]+):\?/g)]);
      const passwords = secrets.map(([, variable]) => variable).filter((variable) => variable?.includes('NATS'));
      expect(passwords).toEqual([`LAKEHOUSE_NATS_PASSWORD_${name.toUpperCase()}`]);
    }
    const { environment } = service('nats');
    const settings = ['GOGC', 'GOMEMLIMIT'];
    expect(Object.keys(environment).sort()).toEqual([...settings, ...roleNames.map(passwordVariable)].sort());
  });

  it('gives nats-server the room that `up` gives it', () => {
    const { GOGC, GOMEMLIMIT } = serverRuntime({}, { processors: 1, memoryBytes: 2 ** 34 });
    expect(service('nats').environment).toMatchObject({
      GOGC: `\${GOGC:-${GOGC}}`,
      GOMEMLIMIT: `\${GOMEMLIMIT:-${GOMEMLIMIT}}`,
    });
  });

  it('reference 10.42: holds no secret, and starts with none that is missing', () => {
    const secretNames = /^(LAKEHOUSE_TOKEN|LAKEHOUSE_NATS_PASSWORD.*|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY)$/;
    const values = services.flatMap(([, { environment }]) => Object.entries(environment));
    const secrets = values.filter(([name]) => secretNames.test(name));
    expect(secrets.length).toBeGreaterThan(20);
    for (const [name, value] of secrets) expect(value, name).toMatch(/^\$\{[A-Z_0-9]+:\?[^}]+\}$/);
    expect(read('scripts/compose/nats-server.conf')).not.toMatch(/password: "/);
  });
});

describe('what the compose file is used with', () => {
  it('has nats-server configured as everywhere else: users, permissions, a sync before each acknowledgement', () => {
    const committed = read('scripts/compose/nats-server.conf');
    expect(committed, 'make it again: npm run -s lakehouse -- nats-config > scripts/compose/nats-server.conf').toBe(
      composeNatsConfig(),
    );
    expect(committed).toContain('sync_interval: "always"');
    expect(committed).not.toContain('no_auth_user');
    for (const role of roleNames) expect(committed).toContain(`user: "${role}", password: $${passwordVariable(role)},`);
  });

  it('gets its secrets made anew for every installation, readable by their owner alone', () => {
    const directory = mkdtempSync(join(tmpdir(), 'lakehouse-env-'));
    const make = (name: string) => {
      const file = join(directory, name);
      execFileSync('sh', [join(root, 'scripts/compose/generate-env.sh'), file], { stdio: 'ignore' });
      expect(statSync(file).mode & 0o077).toBe(0);
      return Object.fromEntries(
        readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => line.split('=') as [string, string]),
      );
    };
    const made = make('one');
    const asking = text + read('docker-compose.cluster.yml');
    const required = [...asking.matchAll(/\$\{([A-Z_0-9]+):\?/g)].map(([, name]) => name ?? '');
    expect(Object.keys(made).sort()).toEqual([...new Set(required)].sort());
    const values = [...Object.values(made), ...Object.values(make('other'))];
    expect(new Set(values).size).toBe(values.length);
    // What nats-server would take for a number or a keyword of its own language it could not read as a password.
    for (const value of values) expect(value).toMatch(/^s[0-9a-f]{19,64}$/);
    expect(() => make('one')).toThrow();
    rmSync(directory, { recursive: true });
  });

  it('is built from what is named, and from nothing that lies about', () => {
    const lines = read('.dockerignore').split('\n');
    expect(lines[0]).toBe('*');
    for (const secret of ['.env', 'data', 'node_modules', '.git']) expect(lines).not.toContain(`!${secret}`);
    expect(read('.gitignore').split('\n')).toContain('.env');
    expect(read('Dockerfile')).toMatch(/^USER 10001:10001$/m);
  });
});
