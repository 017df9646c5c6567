import { describe, expect, it } from 'vitest';
import { ConfigurationError, readConfiguration } from './configuration.ts';

describe('readConfiguration', () => {
  it('reference 10.53: the gateway listens on 3110, beside what others have on 3100', () => {
    const { gateway } = readConfiguration({});
    expect(gateway).toMatchObject({ host: '127.0.0.1', port: 3110 });
  });

  it('opens nothing that is not asked for', () => {
    const { gateway, metrics, nats } = readConfiguration({});
    expect(gateway).toMatchObject({ corsOrigins: [], allowedNetworks: [], rateLimit: { requests: 0 } });
    expect(gateway.tlsFiles).toBeUndefined();
    expect(metrics).toEqual({ token: undefined, open: false });
    expect(nats.tls).toBeUndefined();
  });

  it('lesson 20: takes an empty variable for one that is not there', () => {
    const names = ['LAKEHOUSE_RATE_LIMIT_WINDOW_MS', 'LAKEHOUSE_SNAPSHOT_INTERVAL_MS', 'LAKEHOUSE_REPLAY_LOCAL_MODEL'];
    expect(readConfiguration(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfiguration({}));
  });

  it('reads lists with white space between', () => {
    const { gateway } = readConfiguration({
      LAKEHOUSE_ALLOWED_NETWORKS: '10.0.0.0/8, ::1 ,fd00::/8',
      LAKEHOUSE_CORS_ORIGINS: 'https://app.example.org, http://localhost:5173',
    });
    expect(gateway.allowedNetworks).toEqual(['10.0.0.0/8', '::1', 'fd00::/8']);
    expect(gateway.corsOrigins).toEqual(['https://app.example.org', 'http://localhost:5173']);
  });

  it.each([
    ['LAKEHOUSE_ALLOWED_NETWORKS', '10.0.0.0/33'],
    ['LAKEHOUSE_ALLOWED_NETWORKS', '10.0.0.0/8,example.org'],
    ['LAKEHOUSE_CORS_ORIGINS', 'https://app.example.org/path'],
    ['LAKEHOUSE_CORS_ORIGINS', 'app.example.org'],
    ['LAKEHOUSE_RATE_LIMIT', '-1'],
    ['LAKEHOUSE_TLS_CERT_FILE', 'only-the-certificate.pem'],
    ['LAKEHOUSE_NATS_KEY_FILE', 'only-the-key.pem'],
  ])('refuses %s=%s by its name', (name, value) => {
    const family = name.replace(/_(CERT|KEY)_FILE$/, '');
    expect(() => readConfiguration({ [name]: value })).toThrow(ConfigurationError);
    expect(() => readConfiguration({ [name]: value })).toThrow(family);
  });
});
