import type { StreamConfig } from 'nats';
import { describe, expect, it } from 'vitest';
import { streamNames } from '../schemas/catalog.ts';
import { systemClock } from './clock.ts';
import { connectLog } from './connection.ts';
import { checkStreams, driftSentence, provisionStreams } from './provision.ts';
import { startTestLog, testTopology } from './testing/test-log.ts';
import { startTestServer } from './testing/test-server.ts';
import { streamConfig } from './topology.ts';

const mebibyte = 1024 * 1024;

describe('provisioning', () => {
  it('makes every stream as it is declared, and changes nothing when it is done again', async () => {
    await using test = await startTestLog();
    const { manager } = test.operator;
    for (const name of streamNames) {
      const { config } = await manager.streams.info(name);
      const { no_ack, sealed, deny_delete, deny_purge, ...declared } = streamConfig(name, testTopology);
      expect(config).toMatchObject(declared);
      expect([config.no_ack ?? false, config.sealed ?? false]).toEqual([no_ack, sealed]);
      expect([config.deny_delete ?? false, config.deny_purge ?? false]).toEqual([deny_delete, deny_purge]);
    }
    const before = await Promise.all(streamNames.map((name) => manager.streams.info(name)));
    const again = await provisionStreams(test.operator, testTopology);
    expect(again).toEqual({ created: [], updated: [], drift: [], missing: [] });
    const after = await Promise.all(streamNames.map((name) => manager.streams.info(name)));
    expect(after.map(({ config }) => config)).toEqual(before.map(({ config }) => config));
    expect(after.map(({ created }) => created)).toEqual(before.map(({ created }) => created));
  });

  it('refuses that anybody deletes or purges messages of a log, and lets a window be purged', async () => {
    await using test = await startTestLog();
    const { config } = await test.operator.manager.streams.info('INGEST');
    expect(config).toMatchObject({ deny_delete: true, deny_purge: true, discard: 'new' });
    const window = await test.operator.manager.streams.info('OBSERVATIONS');
    expect(window.config.deny_purge ?? false).toBe(false);
  });

  it('sees what was altered by hand, says it, and mends it', async () => {
    await using test = await startTestLog();
    const { manager } = test.operator;
    const alter = async (name: string, change: Partial<StreamConfig>) =>
      manager.streams.update(name, { ...(await manager.streams.info(name)).config, ...change });
    await alter('VECTORS', { max_msgs: 1_000, duplicate_window: 1_000_000_000 });
    await alter('SEARCHES', { max_age: 3_600_000_000_000 });

    const { drift, missing } = await checkStreams(test.operator, testTopology);
    expect(missing).toEqual([]);
    expect(drift.map(({ stream, field, found }) => [stream, field, found])).toEqual([
      ['VECTORS', 'max_msgs', 1_000],
      ['VECTORS', 'duplicate_window', 1_000_000_000],
      ['SEARCHES', 'max_age', 3_600_000_000_000],
    ]);
    expect(drift.map(driftSentence).join('\n')).toContain('stream VECTORS: max_msgs is 1000 where -1 is declared');
    expect(await checkStreams(test.operator, testTopology, ['INGEST'])).toEqual({ drift: [], missing: [] });

    const report = await provisionStreams(test.operator, testTopology);
    expect(report).toEqual({ created: [], updated: ['VECTORS', 'SEARCHES'], drift: [], missing: [] });
  });

  it('applies a limit that was raised on purpose', async () => {
    await using test = await startTestLog({ streamBytes: { INGEST: mebibyte } });
    const raised = { ...testTopology, streamBytes: { INGEST: 2 * mebibyte } };
    expect((await provisionStreams(test.operator, raised)).updated).toEqual(['INGEST']);
    expect((await test.operator.manager.streams.info('INGEST')).config.max_bytes).toBe(2 * mebibyte);
  });

  it('lowers a limit, but never below what a log holds: the server would delete its oldest messages', async () => {
    await using test = await startTestLog();
    const { jetStream, manager } = test.operator;
    const payload = new Uint8Array(300_000);
    for (let count = 0; count < 5; count++) await jetStream.publish('ingest.workers', payload);
    for (let count = 0; count < 5; count++) await jetStream.publish('observations.test', payload);

    const lowered = { ...testTopology, streamBytes: { INGEST: mebibyte, PLAYBOOKS: mebibyte, OBSERVATIONS: mebibyte } };
    const report = await provisionStreams(test.operator, lowered);
    expect(report.drift.map(({ stream, field }) => `${stream} ${field}`)).toEqual(['INGEST max_bytes']);
    expect(report.updated).toEqual(['PLAYBOOKS', 'OBSERVATIONS']);
    expect((await manager.streams.info('INGEST')).state.messages).toBe(5);
    // The control: a window gives up its oldest, which is what the server would have done to the log as well.
    expect((await manager.streams.info('OBSERVATIONS')).state.messages).toBe(3);
  });

  it('tells which streams are missing', async () => {
    await using server = await startTestServer();
    const { user, pass: password } = server.optionsFor('operator');
    const connection = await connectLog({ url: server.url, user, password, name: 'test', clock: systemClock });
    expect((await checkStreams(connection, testTopology)).missing).toEqual(streamNames);
    const report = await provisionStreams(connection, testTopology);
    expect(report).toEqual({ created: streamNames, updated: [], drift: [], missing: [] });
    await connection.drain();
  });
});
