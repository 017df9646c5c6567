import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AckPolicy, connect, type NatsConnection, StorageType, StringCodec } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { streamNames } from '../../schemas/catalog.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { createCredentials } from './credentials.ts';
import { launchServer } from './launch.ts';
import { locateServer } from './locate.ts';
import { probeServer } from './probe.ts';
import { roleNames } from './roles.ts';
import { isAtLeast, syncAlwaysSince } from './version.ts';

const codec = StringCodec();
const subjectsOf: Record<string, string[]> = {
  INGEST: ['ingest.*', 'corpora.*'],
  DOCUMENTS: ['documents.>'],
  VECTORS: ['vectors.>'],
  AUDIT_BASELINES: ['audit.baselines'],
};

async function createStreams(server: TestServer): Promise<void> {
  const manager = await (await server.connectAs('operator')).jetstreamManager();
  for (const name of streamNames) {
    const subjects = subjectsOf[name] ?? [`unused.${name}`];
    await manager.streams.add({ name, subjects, storage: StorageType.File, allow_direct: true, deny_delete: true });
  }
}

async function messagesIn(server: TestServer, stream: string): Promise<number> {
  const manager = await (await server.connectAs('operator')).jetstreamManager();
  return (await manager.streams.info(stream)).state.messages;
}

/** Sends a request and tells what came of it: an answer, or the code of the refusal. */
function outcomeOf(connection: NatsConnection, subject: string): Promise<string> {
  return connection.request(subject, codec.encode('{}')).then(
    () => 'answered',
    (error) => String(error.code),
  );
}

const refused = 'PERMISSIONS_VIOLATION';

describe('a server and its roles', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
    await createStreams(server);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it.each(roleNames)('lets %s connect with its own password and with no other', async (role) => {
    const connection = await server.connectAs(role);
    expect(connection.info?.max_payload).toBe(8 * 1024 * 1024);
    const wrong = connect({ ...server.optionsFor(role), pass: 'guess', reconnect: false });
    await expect(wrong).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  });

  it.each(roleNames)('refuses that %s delete, purge or clear a stream, and keeps it', async (role) => {
    const calls = ['STREAM.DELETE', 'STREAM.PURGE', 'STREAM.MSG.DELETE'];
    const connection = await server.connectAs(role);
    for (const call of calls) {
      expect(await outcomeOf(connection, `$JS.API.${call}.AUDIT_BASELINES`)).toBe(refused);
    }
    expect(await messagesIn(server, 'AUDIT_BASELINES')).toBe(0);
  });

  it.each(roleNames.filter((role) => role !== 'operator'))(
    'refuses that %s append a baseline or change a stream',
    async (role) => {
      const connection = await server.connectAs(role);
      for (const subject of ['audit.baselines', '$JS.API.STREAM.UPDATE.INGEST', '$JS.API.STREAM.CREATE.MINE']) {
        expect(await outcomeOf(connection, subject)).toBe(refused);
      }
      expect(await messagesIn(server, 'AUDIT_BASELINES')).toBe(0);
    },
  );

  it('appends for who may (the refusals above are not refusals of everything)', async () => {
    const gateway = await server.connectAs('gateway');
    expect(await outcomeOf(gateway, 'ingest.workers')).toBe('answered');
    expect(await outcomeOf(gateway, '$JS.API.STREAM.INFO.INGEST')).toBe('answered');
  });

  it('lets anyone on this machine put a document in, and get the acknowledgement', async () => {
    const producer = await connect({ servers: server.url });
    const before = await messagesIn(server, 'INGEST');
    const event = codec.encode('{"id":"w-1"}');
    const first = await producer.jetstream().publish('ingest.workers', event, { msgID: 'w-1' });
    const again = await producer.jetstream().publish('ingest.workers', event, { msgID: 'w-1' });
    expect(first).toMatchObject({ stream: 'INGEST', seq: before + 1, duplicate: false });
    expect(again).toMatchObject({ seq: before + 1, duplicate: true });
    await producer.close();
  });

  it('lets a producer hear nothing of others, and steer no acknowledgement into a log', async () => {
    const producer = await connect({ servers: server.url });
    for (const subject of ['ingest.*', 'svc.>', '_INBOX_gateway.>', '>']) {
      const subscription = producer.subscribe(subject);
      await expect(subscription.closed.then(() => 'closed')).resolves.toBe('closed');
    }
    producer.publish('ingest.workers', codec.encode('{"id":"w-3"}'), { reply: 'audit.baselines' });
    await producer.flush();
    await producer.request('ingest.workers', codec.encode('{"id":"w-4"}'));
    expect(await messagesIn(server, 'AUDIT_BASELINES')).toBe(0);
    await producer.close();
  });

  it('lets a worker do its work: consume, look up, append, serve and call', async () => {
    const ingest = await server.connectAs('ingest');
    const embed = await server.connectAs('embed');
    const index = await server.connectAs('index');
    await ingest.jetstream().publish('documents.workers.a', codec.encode('text'));

    const manager = await embed.jetstreamManager();
    await manager.consumers.add('DOCUMENTS', { durable_name: 'embed', ack_policy: AckPolicy.Explicit });
    const message = await (await embed.jetstream().consumers.get('DOCUMENTS', 'embed')).next();
    expect(message?.string()).toBe('text');
    await embed.jetstream().publish('vectors.s.workers.a', codec.encode('vector'));
    expect(await message?.ackAck()).toBe(true);

    expect(await outcomeOf(embed, '$JS.API.DIRECT.GET.VECTORS.vectors.s.workers.a')).toBe('answered');
    const last = await manager.streams.getMessage('VECTORS', { last_by_subj: 'vectors.s.workers.a' });
    expect(last.string()).toBe('vector');
    const ordered = await index.jetstream().consumers.get('VECTORS', { filterSubjects: 'vectors.s.>' });
    expect((await ordered.next())?.string()).toBe('vector');

    const service = await embed.services.add({ name: 'embed', version: '1.0.0' });
    service.addEndpoint('texts', { subject: 'svc.embed.texts', handler: (_, asked) => asked?.respond(asked.data) });
    await embed.flush();
    const answer = await index.request('svc.embed.texts', codec.encode('forklift'));
    expect(answer.string()).toBe('forklift');
    const found = await (await server.connectAs('operator')).services.client().info('embed');
    for await (const info of found) expect(info.name).toBe('embed');
    await service.stop();
  });

  it('keeps the passwords in a file of its owner', async () => {
    const path = join(server.directory, 'nats-server.conf');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(join(server.directory, 'nats-server.log'), 'utf8')).not.toContain(
      server.credentials.passwords.operator,
    );
  });
});

describe('launching', () => {
  it('keeps the store over a crash and a restart', async () => {
    await using server = await startTestServer();
    await createStreams(server);
    await server
      .connectAs('gateway')
      .then((gateway) => gateway.jetstream().publish('ingest.workers', codec.encode('1')));
    const pid = server.pid;
    await server.kill9();
    expect(await probeServer({ port: server.port })).toBeUndefined();
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await messagesIn(server, 'INGEST')).toBe(1);
  });

  it('says that a port is taken', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen({ port: 0, host: '127.0.0.1' }, () => {
        const address = other.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    await expect(startTestServer({ port })).rejects.toMatchObject({
      code: 'port-taken',
      message: expect.stringContaining(`Port ${port} is taken`),
    });
    other.close();
  });

  it('shows the end of the log when the server refuses to start', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'lakehouse-nats-'));
    const launched = launchServer({
      binary: await locateServer(),
      directory,
      credentials: createCredentials(),
      host: '203.0.113.1',
    });
    await expect(launched).rejects.toMatchObject({
      code: 'start-failed',
      message: expect.stringContaining('203.0.113.1'),
    });
    await rm(directory, { recursive: true });
  });

  it('starts with every publish synced where the server can', async () => {
    const binary = await locateServer();
    if (!isAtLeast(binary.version, syncAlwaysSince)) {
      await expect(startTestServer({ binary, syncAlways: true })).rejects.toMatchObject({
        code: 'unsupported-setting',
      });
      return;
    }
    await using server = await startTestServer({ binary, syncAlways: true });
    await createStreams(server);
    expect(await messagesIn(server, 'INGEST')).toBe(0);
  });
});
