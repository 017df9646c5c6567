import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DocumentData } from '../schemas/events/document.ts';
import { append, appendBytes, appendIfNewer, appendLine, OutageError, readNewest } from './append.ts';
import { subjectOf } from './subjects.ts';
import { startTestLog } from './testing/test-log.ts';

const corpus = 'workers';

function state(id: string, contentVersion: number, metadataVersion = 0): DocumentData {
  return {
    corpus,
    id,
    content: { version: contentVersion, value: null },
    metadata: { version: metadataVersion, value: metadataVersion === 0 ? null : { at: metadataVersion } },
    former_spaces: ['mine@2'],
  };
}

/** The later of each register; undefined where the newest has both. */
function joined(newest: DocumentData | undefined, said: DocumentData): DocumentData | undefined {
  if (newest === undefined) return said;
  const content = said.content.version > newest.content.version ? said.content : newest.content;
  const metadata = said.metadata.version > newest.metadata.version ? said.metadata : newest.metadata;
  return content === newest.content && metadata === newest.metadata ? undefined : { ...newest, content, metadata };
}

const source = 'test';
const tokens = (id: string) => ({ corpus, key: id });
const subject = (id: string) => subjectOf('lakehouse.document', tokens(id));

describe('append', () => {
  it('appends the same message id once, and a different one again', async () => {
    await using test = await startTestLog();
    const connection = await test.connectAs('ingest');
    const say = (messageId: string) =>
      append(connection, 'lakehouse.document', tokens('a'), state('a', 1), { messageId, source });
    expect(await say('m-1')).toEqual({ sequence: 1, duplicate: false });
    expect(await say('m-1')).toEqual({ sequence: 1, duplicate: true });
    expect((await test.readAll('DOCUMENTS')).map(({ sequence }) => sequence)).toEqual([1]);
    expect(await say('m-2')).toEqual({ sequence: 2, duplicate: false });
  });

  it('tells a full log as an outage of its own kind, and keeps what it holds', async () => {
    await using test = await startTestLog({ streamBytes: { PLAYBOOKS: 4_096 } });
    const connection = await test.connectAs('playbook');
    const say = (text: string, messageId: string) =>
      appendBytes(connection, 'playbooks.p.a', Buffer.from(text), { messageId });
    await say('small', 'm-1');
    const refused = say('x'.repeat(5_000), 'm-2');
    await expect(refused).rejects.toBeInstanceOf(OutageError);
    await expect(refused).rejects.toMatchObject({ code: 'store_full' });
    expect(await say('small again', 'm-3')).toEqual({ sequence: 2, duplicate: false });
  });

  it('keeps the oldest of a log that fills up to its limit, whoever appends', async () => {
    await using test = await startTestLog({ streamBytes: { PLAYBOOKS: 64 * 1024 } });
    const writers = await Promise.all([test.connectAs('playbook'), test.connectAs('playbook')]);
    // Ever smaller where it is refused: one of them would fit by its bytes, and not with what is stored beside it.
    const fill = async (connection: (typeof writers)[number], writer: number) => {
      let turn = 0;
      for (let size = 400; size > 0; ) {
        const options = { messageId: `${writer}-${turn++}` };
        const refusal = await appendBytes(connection, 'playbooks.p.a', Buffer.alloc(size, 120), options).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refusal === undefined) continue;
        expect(refusal).toMatchObject({ code: 'store_full' });
        size -= 16;
      }
    };
    await Promise.all(writers.map(fill));
    const held = await test.readAll('PLAYBOOKS');
    expect(held.length).toBeGreaterThan(80);
    expect(held[0]?.sequence).toBe(1);
  });

  it('appends a line as it is and refuses one that would be two, or none', async () => {
    await using test = await startTestLog();
    const line = (text: string) => appendLine(test.operator, 'lakehouse.audit-baseline', Buffer.from(text), text);
    expect((await line('{"a": 1}')).sequence).toBe(1);
    await expect(line('{"a":\n1}')).rejects.toThrow('line feed');
    await expect(line('')).rejects.toThrow('empty');
    const stored = await test.readAll('AUDIT_BASELINES');
    expect(stored.map(({ payload }) => Buffer.from(payload).toString())).toEqual(['{"a": 1}']);
  });

  it('has every acknowledged append in the stream once, though the server is stopped and killed in between', async () => {
    await using test = await startTestLog();
    const connection = await test.connectAs('playbook');
    const acked = new Map<string, number>();
    const appendFrom = async (writer: number, count: number) => {
      for (let at = 0; at < count; at++) {
        const messageId = `${writer}-${at}`;
        const { sequence } = await appendBytes(connection, 'playbooks.p.a', Buffer.from(messageId), { messageId });
        acked.set(messageId, sequence);
      }
    };
    // The control: without a fault each is there once too.
    await appendFrom(0, 50);
    const before = acked.size;
    const writers = [1, 2, 3, 4].map((writer) => appendFrom(writer, 100));
    await test.server.stop();
    await test.server.restart();
    await appendFrom(5, 1);
    await test.server.kill9();
    await test.server.restart();
    await Promise.all(writers);

    expect(before).toBe(50);
    expect(acked.size).toBe(451);
    const stored = await test.readAll('PLAYBOOKS');
    expect(stored.map(({ messageId }) => messageId).sort()).toEqual([...acked.keys()].sort());
    for (const { messageId, sequence, payload } of stored) {
      expect(Buffer.from(payload).toString()).toBe(messageId);
      expect(acked.get(messageId)).toBe(sequence);
    }
  });
});

describe('appendIfNewer', () => {
  it('writes the join, and nothing where the newest is as new', async () => {
    await using test = await startTestLog();
    const connection = await test.connectAs('ingest');
    const say = (spoken: DocumentData, messageId: string) =>
      appendIfNewer(connection, 'lakehouse.document', tokens('a'), (newest) => joined(newest, spoken), {
        messageId,
        source,
      });
    expect(await readNewest(connection, 'lakehouse.document', subject('a'))).toBeUndefined();
    expect((await say(state('a', 5), 'm-5'))?.sequence).toBe(1);
    expect(await say(state('a', 3), 'm-3')).toBeUndefined();
    expect(await say(state('a', 5), 'm-5 again')).toBeUndefined();
    expect((await say(state('a', 4, 7), 'm-7'))?.sequence).toBe(2);
    const newest = await readNewest(connection, 'lakehouse.document', subject('a'));
    expect(newest).toEqual({ sequence: 2, data: state('a', 5, 7) });
  });

  it('reads nothing first where the last subjects were new, and joins with what is there all the same', async () => {
    await using test = await startTestLog();
    const connection = await test.connectAs('ingest');
    const seen: (number | undefined)[] = [];
    const say = (id: string, spoken: DocumentData, messageId: string) => {
      const decide = (newest: DocumentData | undefined) => {
        seen.push(newest?.content.version);
        return joined(newest, spoken);
      };
      return appendIfNewer(connection, 'lakehouse.document', tokens(id), decide, { messageId, source });
    };
    for (const id of ['a', 'b', 'c', 'd']) await say(id, state(id, 5), `${id}-5`);
    // Taken for new, refused, and joined then.
    expect((await say('a', state('a', 4, 7), 'a-7'))?.sequence).toBe(5);
    expect(await say('b', state('b', 3), 'b-3')).toBeUndefined();
    // Again, as when its acknowledgement was lost: the message id is known.
    for (const id of ['e', 'f', 'g']) await say(id, state(id, 5), `${id}-5`);
    expect(await say('e', state('e', 5), 'e-5')).toEqual({ sequence: 6, duplicate: true });
    expect(seen).toEqual([
      ...[undefined, undefined, undefined, undefined],
      ...[undefined, 5, 5],
      ...[undefined, undefined, undefined, undefined],
    ]);
    const newest = await readNewest(connection, 'lakehouse.document', subject('a'));
    expect(newest).toEqual({ sequence: 5, data: state('a', 5, 7) });
    expect(await test.readAll('DOCUMENTS')).toHaveLength(7);
  });

  it('reads again when somebody was faster', async () => {
    await using test = await startTestLog();
    const connection = await test.connectAs('ingest');
    const seen: (number | undefined)[] = [];
    let faster: Promise<unknown> | undefined;
    const overtaken = appendIfNewer(
      connection,
      'lakehouse.document',
      tokens('a'),
      (newest) => {
        seen.push(newest?.content.version);
        // Sent before what this decision leads to: the first compare-and-set has to fail.
        const options = { messageId: 'faster', source };
        faster ??= append(connection, 'lakehouse.document', tokens('a'), state('a', 9), options);
        return joined(newest, state('a', 2, 3));
      },
      { messageId: 'slower', source },
    );
    expect((await overtaken)?.sequence).toBe(2);
    expect(await faster).toEqual({ sequence: 1, duplicate: false });
    expect(seen).toEqual([undefined, 9]);
    const newest = await readNewest(connection, 'lakehouse.document', subject('a'));
    expect(newest?.data).toEqual(state('a', 9, 3));
  });

  it('ends with the join of what eight writers said at once, whatever they said', async () => {
    await using test = await startTestLog();
    const writers = await Promise.all(Array.from({ length: 8 }, () => test.connectAs('ingest')));
    let run = 0;
    const spoken = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { minLength: 8, maxLength: 24 });
    const property = fc.asyncProperty(spoken, async (versions) => {
      const id = `document ${run++}`;
      // Registers of equal version are equal, as versions are sequences.
      const states = versions.map(([content, metadata]) => state(id, content, metadata));
      await Promise.all(
        writers.map(async (connection, writer) => {
          for (const [at, said] of states.entries()) {
            if (at % writers.length !== writer) continue;
            const options = { messageId: `${id}:${at}`, source };
            const decide = (newest: DocumentData | undefined) => joined(newest, said);
            await appendIfNewer(connection, 'lakehouse.document', tokens(id), decide, options);
          }
        }),
      );
      const newest = await readNewest(test.operator, 'lakehouse.document', subject(id));
      const latest = (register: 'content' | 'metadata') => Math.max(...states.map((said) => said[register].version));
      expect(newest?.data).toEqual(state(id, latest('content'), latest('metadata')));
    });
    await fc.assert(property, { numRuns: 15 });
  });
});
