import { describe, expect, it, vi } from 'vitest';
import type { Runner, TokenBatch } from './engine.ts';
import { createRunnerPool } from './runner-pool.ts';

const neverAborted = new AbortController().signal;

function batch(name: number): TokenBatch {
  return { tokens: Int32Array.of(name), lengths: [1] };
}

/** A runner whose batches end when the test says so; a batch is known by its one token. */
function createHeldRunner() {
  const begun: number[] = [];
  const finish: (() => void)[] = [];
  let closed = false;
  const runner: Runner = {
    run: ({ tokens }) =>
      new Promise((resolve) => {
        begun.push(tokens[0] ?? -1);
        finish.push(() => resolve(Float32Array.from(tokens)));
      }),
    close: async () => {
      closed = true;
    },
  };
  return { runner, begun, finishNext: () => finish.shift()?.(), isClosed: () => closed };
}

describe('createRunnerPool', () => {
  it('uses every runner and begins queries before documents', async () => {
    const first = createHeldRunner();
    const second = createHeldRunner();
    const pool = createRunnerPool([first.runner, second.runner]);
    const documents = [1, 2, 3].map((name) => pool.run(batch(name), 'document', neverAborted));
    const query = pool.run(batch(9), 'query', neverAborted);
    expect([...first.begun, ...second.begun].sort()).toEqual([1, 2]);
    second.finishNext();
    await vi.waitFor(() => expect(second.begun).toEqual([1, 9]));
    second.finishNext();
    await expect(query).resolves.toEqual(Float32Array.of(9));
    await vi.waitFor(() => expect(second.begun).toEqual([1, 9, 3]));
    first.finishNext();
    second.finishNext();
    await Promise.all(documents);
  });

  it('drops a batch whose caller has gone, and goes on', async () => {
    const { runner, begun, finishNext } = createHeldRunner();
    const pool = createRunnerPool([runner]);
    const controller = new AbortController();
    const running = pool.run(batch(1), 'document', neverAborted);
    const abandoned = pool.run(batch(2), 'document', controller.signal);
    const later = pool.run(batch(3), 'document', neverAborted);
    controller.abort();
    finishNext();
    await running;
    await expect(abandoned).rejects.toMatchObject({ reason: 'deadline' });
    await vi.waitFor(() => expect(begun).toEqual([1, 3]));
    finishNext();
    await expect(later).resolves.toEqual(Float32Array.of(3));
  });

  it('goes on after a batch that failed', async () => {
    let calls = 0;
    const runner: Runner = {
      run: async ({ tokens }) => {
        calls += 1;
        if (calls === 1) throw new Error('broken');
        return Float32Array.from(tokens);
      },
      close: async () => {},
    };
    const pool = createRunnerPool([runner]);
    await expect(pool.run(batch(1), 'document', neverAborted)).rejects.toMatchObject({
      reason: 'outage',
      message: expect.stringContaining('broken'),
    });
    await expect(pool.run(batch(2), 'document', neverAborted)).resolves.toEqual(Float32Array.of(2));
  });

  it('closes: finishes what runs, refuses what waits and what comes', async () => {
    const { runner, finishNext, isClosed } = createHeldRunner();
    const pool = createRunnerPool([runner]);
    const running = pool.run(batch(1), 'document', neverAborted);
    const waiting = pool.run(batch(2), 'document', neverAborted);
    const closing = pool.close();
    await expect(waiting).rejects.toMatchObject({ reason: 'outage' });
    await expect(pool.run(batch(3), 'query', neverAborted)).rejects.toMatchObject({ reason: 'outage' });
    expect(isClosed()).toBe(false);
    finishNext();
    await expect(running).resolves.toEqual(Float32Array.of(1));
    await closing;
    expect(isClosed()).toBe(true);
  });
});
