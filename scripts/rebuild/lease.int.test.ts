import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeEvent } from '../../schemas/decode.ts';
import { readStream } from '../../streams/read-stream.ts';
import { eventually } from '../../streams/testing/eventually.ts';
import { holdLease } from '../../workers/index-lease/hold.ts';
import { messageSchema, type TaskMessage } from '../../workers/rebuild/task.ts';
import { quietLog } from '../chaos/oracles/clean-fold.ts';
import { startTestStack, type TestStack } from '../testing/stack.ts';
import { environmentOf } from '../testing/worker-process.ts';

const entry = fileURLToPath(new URL('../../dist/workers/rebuild/main.js', import.meta.url));
const corpus = 'things';
const task = { task: 'rebuild', corpus, kind: 'documents', compare: false, force: false, side: null };

let stack: TestStack;
const children: ChildProcess[] = [];

beforeAll(async () => {
  stack = await startTestStack({ workers: ['ingest', 'embed', 'index'] });
  const vector = Array.from({ length: 384 }, (_, place) => (place === 0 ? 1 : 0));
  await stack.client.ingest(corpus, [{ id: 'a', vector, space: 'all-minilm-l6-v2@384' }], { waitSearchable: true });
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await stack[Symbol.asyncDispose]();
});

/** A rebuild as a process of its own, and the last thing that it tells. */
function startRebuild(): { readonly child: ChildProcess; readonly told: Promise<TaskMessage | undefined> } {
  const child = spawn(process.execPath, [entry, JSON.stringify(task)], {
    env: { ...process.env, ...environmentOf(stack, 'operator') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => (text += part));
  const told = once(child, 'close').then(() => {
    const last = text.trimEnd().split('\n').at(-1);
    return last === undefined || last === '' ? undefined : messageSchema.parse(JSON.parse(last));
  });
  return { child, told };
}

/** What INDEXES says, in order: `claimed`, `released`, `switched`, each with its run. */
async function words(): Promise<string[]> {
  const said: string[] = [];
  for await (const { payload, subject } of readStream(stack.operator, 'INDEXES')) {
    const decoded = decodeEvent('INDEXES', payload, subject);
    if (!decoded.ok) throw new Error(decoded.message);
    const { event } = decoded;
    said.push(`${event.type === 'lakehouse.index-lease' ? event.data.state : 'switched'} ${event.data.run_id}`);
  }
  return said;
}

describe('two rebuilds of one corpus at once', () => {
  it('are one: the other is refused with who it is, and the one that has begun ends as if alone', async () => {
    const first = startRebuild();
    await eventually('the first has claimed the corpus', async () => (await words()).length > 0);
    first.child.kill('SIGSTOP');
    const second = await startRebuild().told;
    expect(second).toMatchObject({ say: 'failed' });
    expect(second?.say === 'failed' && second.message).toMatch(
      new RegExp(`"things" is being rebuilt by process ${first.child.pid} on .* since 20.*its lease ends at 20`),
    );
    first.child.kill('SIGCONT');
    expect(await first.told).toMatchObject({ say: 'rebuilt', runs: [{ outcome: 'switched' }] });
    const [claimed = '', refused = '', ...rest] = await words();
    const run = claimed.split(' ')[1];
    expect(refused).toMatch(/^claimed /);
    expect(refused).not.toBe(claimed);
    expect(rest).toEqual([`switched ${run}`, `released ${run}`]);
    // A run that is refused is no row: nothing was run.
    expect((await stack.operator.manager.streams.info('REPLAY_RUNS')).state.messages).toBe(1);
  });

  it('never switch together, whoever of four that begin at once is first', async () => {
    const before = (await words()).length;
    const told = await Promise.all([1, 2, 3, 4].map(() => startRebuild().told));
    const rebuilt = told.filter((message) => message?.say === 'rebuilt').length;
    const refused = told.filter((message) => message?.say === 'failed' && message.message.includes('is being rebuilt'));
    expect(rebuilt).toBeGreaterThan(0);
    expect(rebuilt + refused.length).toBe(4);
    let holder: string | undefined;
    for (const word of (await words()).slice(before)) {
      const [what, run] = word.split(' ');
      if (what === 'claimed') holder ??= run;
      if (what === 'switched') expect(run).toBe(holder);
      if (what === 'released' && run === holder) holder = undefined;
    }
  });
});

describe('a rebuild that died', () => {
  it('is waited for until its lease ends, and what it would say behind that is refused', async () => {
    const options = { connection: stack.operator, log: quietLog, corpus, task: 'rebuild', leaseMs: 1_200 } as const;
    const dying = await holdLease({ ...options, run_id: 'dying', holder: 'a process that dies' });
    expect(await startRebuild().told).toMatchObject({
      say: 'failed',
      message: expect.stringContaining('by a process that dies'),
    });
    await dying.release();

    // As if it had died: its last claim is never said again.
    const silent = { ...stack.operator, clock: { ...stack.operator.clock, sleep: () => new Promise<void>(() => {}) } };
    const dead = await holdLease({ ...options, connection: silent, run_id: 'dead', holder: 'a dead process' });
    await eventually('its lease is over', async () => (await startRebuild().told)?.say === 'rebuilt');
    const late = dead.append(() => Promise.reject(new Error('this must not be asked for')));
    await expect(late).rejects.toThrow(/ended before it was claimed again|is being rebuilt/);
  });
});
