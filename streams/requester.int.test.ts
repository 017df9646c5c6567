import { describe, expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { type LogConnection, newInbox } from './connection.ts';
import { OutageError } from './log-errors.ts';
import { createRequester, type Requester } from './requester.ts';
import { startTestLog } from './testing/test-log.ts';

const subject = 'svc.index.question';

function requesterOf(connection: LogConnection, timeoutMs = 5_000): Requester {
  return createRequester({ nats: connection.nats, inbox: newInbox(connection), clock: systemClock, timeoutMs });
}

const question = (text = '') => ({ subject, payload: Buffer.from(text), headers: {} });

describe('asking over one inbox', () => {
  it('gives each the answer to its own question, whatever order they come in', async () => {
    await using test = await startTestLog();
    const { nats: service } = await test.connectAs('index');
    const kept: (() => void)[] = [];
    service.subscribe(subject, {
      callback: (_, message) => {
        kept.push(() => void message.respond(message.data));
        // Fifty at a time, the last one first.
        if (kept.length % 50 === 0) for (const respond of kept.splice(0).reverse()) respond();
      },
    });
    await service.flush();
    const requester = requesterOf(await test.connectAs('gateway'));
    const said = Array.from({ length: 500 }, (_, at) => `question ${at}`);
    const answers = await Promise.all(said.map((text) => requester.ask(question(text))));
    expect(answers.map(({ data }) => Buffer.from(data).toString())).toEqual(said);
  });

  it('sends headers along, and what waits behind a question that stays unanswered', async () => {
    await using test = await startTestLog();
    const { nats: service } = await test.connectAs('index');
    service.subscribe(subject, {
      callback: (_, message) => {
        if (message.data.length > 0) message.respond(Buffer.from(message.headers?.get('X-Said') ?? ''));
      },
    });
    await service.flush();
    const requester = requesterOf(await test.connectAs('gateway'), 300);
    const unanswered = requester.ask(question());
    const { data } = await requester.ask({ ...question('later'), headers: { 'X-Said': 'this' } });
    expect(Buffer.from(data).toString()).toBe('this');
    await expect(unanswered).rejects.toThrow(OutageError);
    await expect(unanswered).rejects.toThrow(`${subject}: no answer came within 0.3 s`);
  });

  it('fails at once where nobody answers', async () => {
    await using test = await startTestLog();
    const requester = requesterOf(await test.connectAs('gateway'));
    await expect(requester.ask(question())).rejects.toMatchObject({ code: '503' });
  });

  it('fails at once where this user may not ask, and answers the others', async () => {
    await using test = await startTestLog();
    const { transport } = await test.connectAs('gateway');
    const publish = (to: string) =>
      transport.publish({
        subject: to,
        payload: Buffer.from('{}'),
        messageId: to,
        headers: {},
        lastSubjectSequence: undefined,
      });
    const [allowed, refused] = await Promise.allSettled([publish('ingest.workers'), publish('documents.workers.a')]);
    expect(allowed).toMatchObject({ status: 'fulfilled', value: { sequence: 1 } });
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'PERMISSIONS_VIOLATION' } });
  });

  it('says at once that the connection was lost before the answer, and asks again when it is back', async () => {
    await using test = await startTestLog();
    const connection = await test.connectAs('gateway');
    const publish = (messageId: string) =>
      connection.transport.publish({
        subject: 'ingest.workers',
        payload: Buffer.from('{}'),
        messageId,
        headers: {},
        lastSubjectSequence: undefined,
      });
    await publish('before');
    test.server.pause();
    const began = performance.now();
    const cutOff = expect(publish('cut off')).rejects.toThrow('the connection was lost before the answer');
    await test.server.kill9();
    await cutOff;
    expect(performance.now() - began).toBeLessThan(4_000);
    await test.server.restart();
    await new Promise<void>((resolve) => {
      if (connection.isConnected()) resolve();
      else connection.watch((isConnected) => isConnected && resolve());
    });
    expect(await publish('cut off')).toMatchObject({ sequence: 2 });
  });
});
