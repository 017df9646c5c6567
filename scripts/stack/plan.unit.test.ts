import { describe, expect, it } from 'vitest';
import { createCredentials } from '../../streams/server/credentials.ts';
import { gatewayUrlOf, type PlanOptions, planStack } from './plan.ts';

function options(overrides: Partial<PlanOptions> = {}): PlanOptions {
  let port = 5_000;
  return {
    dataDirectory: '/data',
    distDirectory: '/dist',
    server: {
      command: '/usr/sbin/nats-server',
      args: ['--config', '/data/nats/nats-server.conf'],
      configFile: '/data/nats/nats-server.conf',
      portsFileDir: '/data/nats/ports',
      serverName: 'lakehouse-x',
    },
    natsPort: 4222,
    gateway: { host: '127.0.0.1', port: 3110 },
    instances: { ingest: 2, embed: 1, index: 1 },
    credentials: createCredentials(),
    environment: { PATH: '/usr/bin', LAKEHOUSE_TOKEN: 'secret', LAKEHOUSE_EMBEDDER: 'minilm' },
    nextPort: () => ++port,
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
        PATH: '/usr/bin',
      });
    }
    expect(new Set(plan.map(({ healthUrl }) => healthUrl)).size).toBe(plan.length);
  });

  it('gives the token to the gateway and to nobody else', () => {
    const holders = planStack(options()).filter(({ environment }) => environment.LAKEHOUSE_TOKEN !== undefined);
    expect(holders.map(({ name }) => name)).toEqual(['gateway']);
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
