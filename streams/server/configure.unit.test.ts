import { describe, expect, it } from 'vitest';
import { clusterPasswordVariable, renderServerConfig, type ServerConfig } from './configure.ts';
import { createCredentials } from './credentials.ts';
import { roleNames } from './roles.ts';

const credentials = createCredentials();
const debian: ServerConfig = {
  version: { major: 2, minor: 9, patch: 10 },
  port: 4222,
  storeDir: '/var/lake house/"x"',
  credentials,
};
const current: ServerConfig = { ...debian, version: { major: 2, minor: 15, patch: 1 } };

describe('renderServerConfig', () => {
  it('listens on loopback only, with every role as a user', () => {
    const text = renderServerConfig({ ...debian, monitorPort: 8222 });
    expect(text).toContain('host: "127.0.0.1"\nport: 4222\n');
    expect(text).toContain('http: "127.0.0.1:8222"');
    for (const role of roleNames) expect(text).toContain(`user: "${role}", password: "${credentials.passwords[role]}"`);
  });

  it('escapes what is quoted', () => {
    expect(renderServerConfig(debian)).toContain('store_dir: "/var/lake house/\\"x\\""');
    expect(() => renderServerConfig({ ...debian, storeDir: '/var/a\nport: 1' })).toThrow(/control character/);
  });

  it('lets in without credentials on loopback only', () => {
    expect(renderServerConfig(debian)).toContain('no_auth_user: "producer"');
    expect(renderServerConfig({ ...debian, host: '0.0.0.0' })).not.toContain('no_auth_user');
  });

  it('syncs always from 2.10, when asked', () => {
    expect(renderServerConfig({ ...current, syncAlways: true })).toContain('sync_interval: "always"');
    expect(renderServerConfig(current)).not.toContain('sync_interval');
  });

  it('refuses to pretend that an older server syncs always', () => {
    expect(() => renderServerConfig({ ...debian, syncAlways: true })).toThrow(
      expect.objectContaining({ code: 'unsupported-setting' }),
    );
  });

  it('asks clients for a certificate where their authority is named, and only there', () => {
    const own = { certFile: '/tls/a.pem', keyFile: '/tls/a.key' };
    expect(renderServerConfig(debian)).not.toContain('tls {');
    expect(renderServerConfig({ ...debian, tls: own })).toMatch(
      /cert_file: "\/tls\/a.pem"\n {2}key_file: "\/tls\/a.key"\n}/,
    );
    expect(renderServerConfig({ ...debian, tls: { ...own, caFile: '/tls/ca.pem' } })).toContain(
      'ca_file: "/tls/ca.pem"\n  verify: true',
    );
  });

  it('takes no route from a server without the password', () => {
    const cluster = { name: 'lake', serverName: 'a', port: 6222, routes: ['127.0.0.1:6223'] };
    const text = renderServerConfig({ ...current, cluster });
    expect(text).toContain('server_name: "a"');
    expect(text).toContain(`authorization: { user: "cluster", password: "${credentials.clusterPassword}" }`);
    expect(text).toContain(`routes: ["nats://cluster:${credentials.clusterPassword}@127.0.0.1:6223"]`);
    const named = renderServerConfig({ ...current, cluster, passwords: 'named' });
    expect(named).toContain(`authorization: { user: "cluster", password: $${clusterPasswordVariable} }`);
    expect(named).not.toContain(credentials.clusterPassword);
  });
});
