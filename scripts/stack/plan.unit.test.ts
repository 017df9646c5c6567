import { describe, expect, it } from 'vitest';
import { createCredentials } from '../../streams/server/credentials.ts';
import { gatewayUrlOf, type PlanOptions, planStack, workerCount } from './plan.ts';

const prepared = {
  command: '/usr/sbin/nats-server',
  args: ['--config', '/data/nats/nats-server.conf'],
  configFile: '/data/nats/nats-server.conf',
  portsFileDir: '/data/nats/ports',
  serverName: 'lakehouse-x',
};

function options(overrides: Partial<PlanOptions> = {}): PlanOptions {
  return {
    dataDirectory: '/data',
    distDirectory: '/dist',
    servers: [{ prepared, port: 4222 }],
    gateway: { host: '127.0.0.1', ports: [3110] },
    instances: { ingest: 2, embed: 1, index: 1 },
    credentials: createCredentials(),
    environment: { LAKEHOUSE_EMBEDDER: 'minilm' },
    healthPorts: [5_001, 5_002, 5_003, 5_004, 5_005, 5_006],
    ...overrides,
  };
}

describe('the plan of a stack', () => {
  it('has the log first, every worker, the gateway last, and everything waits for the log', () => {
    const plan = planStack(options());
    expect(plan.map(({ name }) => name)).toEqual([
      'nats-server',
      'ingest-1',
      'ingest-2',
      'embed',
      'index',
      'playbook',
      'observer',
      'gateway',
    ]);
    expect(plan.slice(1).every(({ dependsOn }) => dependsOn.includes('nats-server'))).toBe(true);
  });

  it('gives each process its own role, instance and health port', () => {
    const asked = options();
    const plan = planStack(asked).slice(1);
    for (const { name, environment } of plan) {
      const role = name.replace(/-\d+$/, '') as 'ingest';
      expect(environment).toMatchObject({
        LAKEHOUSE_NATS_URL: 'nats://127.0.0.1:4222',
        LAKEHOUSE_NATS_USER: role,
        LAKEHOUSE_NATS_PASSWORD: asked.credentials.passwords[role],
        LAKEHOUSE_DATA_DIR: '/data',
        LAKEHOUSE_INSTANCE: name,
        LAKEHOUSE_EMBEDDER: 'minilm',
      });
    }
    expect(new Set(plan.map(({ healthUrl }) => healthUrl)).size).toBe(plan.length);
    expect(plan.map(({ port }) => port)).toEqual([...asked.healthPorts, 3110]);
  });

  it('has three nodes and two gateways, tells every process all nodes, and needs two of them', () => {
    const servers = [4222, 4223, 4224].map((port) => ({ prepared, port }));
    const plan = planStack(options({ servers, gateway: { host: '127.0.0.1', ports: [3110, 3111] } }));
    const names = plan.map(({ name }) => name);
    expect(names.slice(0, 3)).toEqual(['nats-server-1', 'nats-server-2', 'nats-server-3']);
    expect(names.slice(-2)).toEqual(['gateway-1', 'gateway-2']);
    for (const { dependsOn, dependenciesMin, environment } of plan.slice(3)) {
      expect([dependsOn, dependenciesMin]).toEqual([names.slice(0, 3), 2]);
      expect(environment).toMatchObject({
        LAKEHOUSE_NATS_URL: 'nats://127.0.0.1:4222,nats://127.0.0.1:4223,nats://127.0.0.1:4224',
        LAKEHOUSE_REPLICAS: '3',
      });
    }
    expect(plan.at(-1)?.environment).toMatchObject({ LAKEHOUSE_GATEWAY_PORT: '3111', LAKEHOUSE_INSTANCE: 'gateway-2' });
  });

  it('bounds the heap of every process but of those whose memory is the index', () => {
    const bounded = planStack(options()).filter(({ args }) => args.includes('--max-old-space-size=1024'));
    expect(bounded.map(({ name }) => name)).toEqual([
      'ingest-1',
      'ingest-2',
      'embed',
      'playbook',
      'observer',
      'gateway',
    ]);
  });

  it('counts the worker processes', () => {
    expect(workerCount(options().instances)).toBe(options().healthPorts.length);
  });

  it('gives the keys of the object store to the index worker alone', () => {
    const keyed = planStack(options()).filter(({ environment }) => environment.AWS_SECRET_ACCESS_KEY !== '');
    expect(keyed.map(({ name }) => name)).toEqual(['index']);
  });

  it('keeps the token from everything but the gateway', () => {
    const kept = planStack(options()).filter(({ environment }) => environment.LAKEHOUSE_TOKEN === '');
    expect(kept.map(({ name }) => name)).toEqual(
      planStack(options())
        .map(({ name }) => name)
        .filter((name) => name !== 'gateway'),
    );
  });

  it.each([
    ['127.0.0.1', 'http://127.0.0.1:3110'],
    ['0.0.0.0', 'http://127.0.0.1:3110'],
    ['::', 'http://[::1]:3110'],
    ['10.1.2.3', 'http://10.1.2.3:3110'],
  ])('reaches a gateway on %s at %s', (host, url) => {
    expect(gatewayUrlOf({ host, port: 3110 })).toBe(url);
  });
});
