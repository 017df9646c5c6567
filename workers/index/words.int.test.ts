import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { VectorData } from '../../schemas/events/document.ts';
import { encodeVector } from '../../schemas/vector.ts';
import { append } from '../../streams/append.ts';
import { startTestLog } from '../../streams/testing/test-log.ts';
import { createWords } from './words.ts';

const of = { corpus: 'workers', space: 'mine@2' };
const vector = encodeVector(Float32Array.of(1, 0));

function said(id: string, version: number, text: string | null, corpus = of.corpus): VectorData {
  const hash = createHash('sha256').update(`${text}`).digest('hex');
  const value = { hash, text, vector, truncated: false };
  return { ...of, corpus, id, content: { version, value }, metadata: { version: 0, value: null } };
}

describe('words', () => {
  it('are gathered from the log and from what comes meanwhile, the later version winning', async () => {
    await using log = await startTestLog();
    const embed = await log.connectAs('embed');
    const history = [
      said('a', 1, 'welder'),
      said('b', 2, 'packer'),
      said('a', 4, 'crane'),
      said('x', 5, 'welder', 'other'),
    ];
    for (const data of history) {
      const { space, corpus, id } = data;
      const messageId = `${data.content.version}`;
      await append(embed, 'lakehouse.vector', { space, corpus, key: id }, data, { messageId, source: 'test' });
    }
    const connection = await log.connectAs('index');
    const words = createWords({
      connection,
      log: log.log,
      position: () => ({ VECTORS: history.length }),
      floorOf: () => 0,
    });
    expect(words.stats(of)).toBeUndefined();
    // Nobody asked for them yet: it is not kept.
    words.note(said('c', 3, 'welder'));
    expect(words.atHand(of)).toBeUndefined();
    // Asked for: what the live fold brings before the history is read counts where it is the later one.
    words.note(said('b', 6, 'welder'));
    words.note(said('a', 3, 'welder'));
    await expect(words.whenGathered(of, AbortSignal.abort())).rejects.toMatchObject({
      problem: { status: 503, code: 'unavailable', corpus: 'workers' },
    });
    const index = await words.whenGathered(of, AbortSignal.timeout(30_000));
    expect(words.atHand(of)).toBe(index);
    const found = (query: string) =>
      index
        .score(query)
        .best(10)
        .map(({ id }) => id);
    expect([found('welder'), found('crane'), found('packer')]).toEqual([['b'], ['a'], []]);
    words.note({ ...said('b', 7, null), content: { version: 7, value: null } });
    expect(found('welder')).toEqual([]);
    expect(words.stats(of)).toMatchObject({ documents: 1 });
    await words.stop();
  });
});
