import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfiguration } from '../../schemas/configuration.ts';
import { clusterPasswordVariable, passwordVariable, routeVariable } from '../../streams/server/configure.ts';
import { roleNames } from '../../streams/server/roles.ts';
import { projectDirectory } from '../bench/project.ts';
import { clusterCompose } from './cluster.ts';
import { clusterNodes, clusterPort } from './cluster-nodes.ts';
import { composeClusterConfig } from './nats-config.ts';

const read = (path: string) => readFileSync(join(projectDirectory(), path), 'utf8');
const serviceSchema = z.looseObject({
  image: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.union([z.string(), z.object({ source: z.string() })])).default([]),
  depends_on: z.record(z.string(), z.unknown()).default({}),
  command: z.array(z.string()).optional(),
});
const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null().or(z.object({}))),
});

const text = clusterCompose(read('docker-compose.yml'));
const cluster = composeSchema.parse(parse(text));
const single = composeSchema.parse(parse(read('docker-compose.yml'), { merge: true }));
const services = Object.entries(cluster.services);
const filledIn = (value: string) =>
  value.replace(/\$\{[A-Z_0-9]+:-([^}]*)\}/g, '$1').replace(/\$\{([A-Z_0-9]+):\?[^}]*\}/g, 'secret-of-$1');

describe('docker-compose.cluster.yml', () => {
  it('is what docker-compose.yml makes of it', async () => {
    await expect(text).toMatchFileSnapshot(join(projectDirectory(), 'docker-compose.cluster.yml'));
  });

  it('has three nodes, two gateways and two index workers, and all else once', () => {
    const several = [...clusterNodes, 'index-1', 'index-2', 'gateway-1', 'gateway-2'];
    const others = Object.keys(single.services).filter((name) => !['nats', 'index', 'gateway'].includes(name));
    expect(Object.keys(cluster.services).sort()).toEqual([...others, ...several].sort());
  });

  it.each(services)('%s has no more rights than where it is alone', (name, service) => {
    const { environment: _, ports: __, volumes: ___, depends_on: ____, command: _____, ...rest } = service;
    const origin = single.services[name.replace(/-\d$/, '')];
    expect(rest).toEqual(Object.fromEntries(Object.entries(origin ?? {}).filter(([field]) => field in rest)));
    expect(rest).toMatchObject({ user: '10001:10001', read_only: true, cap_drop: ['ALL'] });
  });

  it('tells every process all nodes, and has every stream on three', () => {
    const told = services.filter(([, { environment }]) => environment.LAKEHOUSE_NATS_USER !== undefined);
    expect(told.length).toBe(10);
    for (const [name, { environment }] of told) {
      const values = Object.entries(environment).map(([key, value]) => [key, filledIn(value)] as const);
      const { nats } = readConfiguration(Object.fromEntries(values));
      expect([nats.url, nats.replicas], name).toEqual(['nats://nats-1:4222,nats://nats-2:4222,nats://nats-3:4222', 3]);
    }
  });

  it('waits for services that are there, and shares no volume between copies', () => {
    for (const [name, { depends_on }] of services)
      for (const needed of Object.keys(depends_on)) expect(Object.keys(cluster.services), name).toContain(needed);
    const used = services
      .filter(([name]) => name !== 'volumes')
      .flatMap(([, { volumes }]) =>
        volumes.map((one) => (typeof one === 'string' ? (one.split(':')[0] ?? '') : one.source)),
      )
      .filter((source) => !source.startsWith('./'));
    expect(new Set(used)).toEqual(new Set(Object.keys(cluster.volumes)));
    const own = used.filter((source) => /-\d-data$/.test(source));
    expect(new Set(own).size).toBe(own.length);
    for (const folder of cluster.services.volumes?.command?.slice(1) ?? [])
      expect(read('Dockerfile')).toContain(folder);
  });

  it('is reached on loopback alone, on ports of their own', () => {
    const ports = services.flatMap(([, one]) => one.ports.map(filledIn));
    expect(ports.sort()).toEqual([
      '127.0.0.1:3110:3110',
      '127.0.0.1:3111:3110',
      '127.0.0.1:4222:4222',
      '127.0.0.1:4223:4222',
      '127.0.0.1:4224:4222',
    ]);
  });

  it('gives each node its name, the passwords and the routes that its configuration asks for, and no secret in words', () => {
    const committed = read('scripts/compose/nats-cluster.conf');
    expect(
      committed,
      'make it again: npm run -s lakehouse -- nats-config --cluster > scripts/compose/nats-cluster.conf',
    ).toBe(composeClusterConfig());
    const asked = new Set([...committed.matchAll(/\$(LAKEHOUSE_[A-Z0-9_]+)/g)].map(([, name]) => name ?? ''));
    for (const node of clusterNodes) {
      const environment = cluster.services[node]?.environment ?? {};
      expect(new Set(Object.keys(environment))).toEqual(new Set([...asked, 'GOGC', 'GOMEMLIMIT']));
      expect(environment.LAKEHOUSE_NATS_NAME).toBe(node);
      for (const other of clusterNodes)
        expect(environment[routeVariable(`${other}:${clusterPort}`)]).toMatch(
          new RegExp(`^nats://cluster:\\$\\{${clusterPasswordVariable}:\\?[^}]+\\}@${other}:${clusterPort}$`),
        );
    }
    for (const role of roleNames) expect(asked).toContain(passwordVariable(role));
  });
});
