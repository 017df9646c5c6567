import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RagSample } from '../../schemas/distillation/exports.ts';
import { taskReplayRunSchema } from '../../schemas/distillation/replay-run.ts';
import { bundleOf, promptOf } from './bundle.ts';
import { checkAnswer } from './gate.ts';
import { mayEscalate, type ReplayPorts, type ReplayRequest, replay, runIdOf } from './replay.ts';
import { retrieveByWords } from './retrieve.ts';
import { jaccard, tokenSet } from './tokens.ts';

const recordedAt = '2026-04-27T06:00:00.000Z';
const sample = (id: string, content: string, success_score: RagSample['success_score'] = 'accepted'): RagSample => ({
  schema_version: 1,
  id,
  created_at: recordedAt,
  title: content.slice(0, 20),
  content,
  tags: [],
  source_run_id: `run-${id}`,
  success_score,
  source_category: success_score,
  provenance: {
    source_file: 'data/_kb/audits.jsonl',
    line_offset: 0,
    sig_hash: 'a'.repeat(64),
    recorded_at: recordedAt,
  },
});
const playbooks = [
  sample('b', 'Staff forklift operators in Aurora. Verify the certificate before the first shift.'),
  sample('a', 'Staff forklift operators in Aurora. Verify the certificate before the first shift.'),
  sample('c', 'Forklift operators were short by one in Joliet, and the second shift began late.', 'partially_accepted'),
  sample('d', 'Rotate the log of the gateway.'),
];
const asked: ReplayRequest = {
  task: 'Find forklift operators in Aurora',
  localOnly: false,
  allowEscalation: false,
  noRetrieval: false,
  dryRun: false,
};
const models = { local: 'small', escalation: 'large' };
const good =
  'Three operators are proposed; the certificate of each was verified with the issuer before the first shift began.';
const ports = (chat: ReplayPorts['chat']): ReplayPorts => ({
  retriever: 'jaccard',
  retrieve: (task) => retrieveByWords(task, playbooks),
  chat,
  monotonicMs: () => 0,
  recordedAt,
});
const never = async (): Promise<string> => {
  throw new Error('a model was asked');
};

describe('retrieval by words', () => {
  it('gives the best first, ties by id, and none that shares no word', async () => {
    const found = await retrieveByWords(asked.task, playbooks);
    expect(found.map(({ sample: { id } }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('gives eight at most, whichever order they come in', async () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: 30 }, (_, index) => index),
      { minLength: 30 },
    );
    const many = Array.from({ length: 30 }, (_, index) =>
      sample(`s${index}`, `forklift ${'word '.repeat(index)}${index}`),
    );
    const expected = (await retrieveByWords('forklift word', many)).map(({ sample: { id } }) => id);
    expect(expected).toHaveLength(8);
    await fc.assert(
      fc.asyncProperty(order, async (indices) => {
        const found = await retrieveByWords(
          'forklift word',
          indices.map((index) => many[index] ?? sample('x', '')),
        );
        expect(found.map(({ sample: { id } }) => id)).toEqual(expected);
      }),
    );
  });

  it('counts what is shared of all', () => {
    expect(jaccard(tokenSet('the forklift in Aurora'), tokenSet('forklift, Joliet'))).toBeCloseTo(1 / 3, 12);
    expect(jaccard(tokenSet(''), tokenSet('the'))).toBe(0);
  });
});

describe('the bundle', () => {
  it('has three exemplars, two failure patterns and what accepted playbooks say to check', async () => {
    const many = ['1', '2', '3', '4'].flatMap((id) => [
      { sample: sample(`a${id}`, `Do ${id}. Ensure ${id}.\nchecked already ${id}`), score: 1 },
      { sample: sample(`p${id}`, `Check ${id}`, 'partially_accepted'), score: 1 },
    ]);
    const bundle = bundleOf(many);
    expect(bundle.exemplars).toHaveLength(3);
    expect(bundle.failurePatterns).toEqual(['Check 1', 'Check 2']);
    expect(bundle.validationSteps).toEqual(['Ensure 1.', 'Ensure 2.', 'Ensure 3.', 'Ensure 4.']);
    expect(promptOf('t', bundle).user).toContain('Ensure 4.');
    expect(promptOf('t', undefined).user).toBe('Task: t');
  });
});

describe('the gate', () => {
  it.each([
    ['', ['empty']],
    ['short', ['fewer than 80']],
    [`As an AI, ${'x '.repeat(60)}`, ['as an ai', 'none of the checks']],
    [`I can’t say. ${'certificate '.repeat(10)}`, ["i can't"]],
    ['y'.repeat(80), ['none of the checks']],
  ])('refuses %j', (answer, reasons) => {
    const result = checkAnswer(answer, ['Verify the certificate']);
    expect(result.passed).toBe(false);
    for (const reason of reasons) expect(result.reasons.join()).toContain(reason);
  });

  it('lesson 22: lets a long invented text pass, and does not pretend otherwise', () => {
    expect(
      checkAnswer(
        'The failure rate is 0.0% against a threshold of 5.0%, so the code is signed off without a look at it.',
        [],
      ),
    ).toEqual({ passed: true, reasons: [] });
  });
});

describe('a replay', () => {
  it('asks the local model with the bundle, and writes one valid row', async () => {
    const prompts: string[] = [];
    const run = await replay(
      asked,
      models,
      ports(async (model, prompt) => {
        prompts.push(`${model}: ${prompt.user}`);
        return good;
      }),
    );
    expect(taskReplayRunSchema.safeParse(run).error).toBeUndefined();
    expect(run).toMatchObject({
      model_used: 'small',
      escalation_path: ['small'],
      validation_result: { passed: true },
      retriever: 'jaccard',
    });
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toContain('Verify the certificate');
    expect(run.retrieved_artifacts.map(({ rag_id }) => rag_id)).toEqual(['a', 'b', 'c']);
  });

  it.each([
    [{ allowEscalation: true }, ['small', 'large'], true],
    [{ allowEscalation: false }, ['small'], false],
    [{ allowEscalation: true, localOnly: true }, ['small'], false],
  ])('with %j asks %j', async (change, path, passed) => {
    const run = await replay(
      { ...asked, ...change },
      models,
      ports(async (model) => (model === 'large' ? good : 'no')),
    );
    expect(run).toMatchObject({ escalation_path: path, validation_result: { passed } });
  });

  it.each([true, false])('never escalates under local only (escalation allowed: %s)', (allowEscalation) => {
    expect(mayEscalate({ localOnly: true, allowEscalation })).toBe(false);
  });

  it('takes a failed call for what happened, not for an error', async () => {
    const run = await replay({ ...asked, allowEscalation: true }, models, ports(never));
    expect(run.validation_result).toEqual({ passed: false, reasons: ['escalation call failed: a model was asked'] });
    expect(run.escalation_path).toEqual(['small', 'large']);
  });

  it('asks nobody in a dry run, gives the same answer twice, and passes its own gate', async () => {
    const dry = { ...asked, dryRun: true };
    const [first, second] = [await replay(dry, models, ports(never)), await replay(dry, models, ports(never))];
    expect(second).toEqual(first);
    expect(first.validation_result).toEqual({ passed: true, reasons: [] });
    expect(first.model_response).toContain('Met: Verify the certificate');
  });

  it('without retrieval has no bundle', async () => {
    const run = await replay(
      { ...asked, noRetrieval: true },
      models,
      ports(async () => good),
    );
    expect(run).toMatchObject({ retriever: 'none', context_bundle: null, retrieved_artifacts: [] });
  });

  it('fails where the playbooks can not be read', async () => {
    const broken = { ...ports(never), retrieve: async () => Promise.reject(new Error('no file')) };
    await expect(replay(asked, models, broken)).rejects.toThrow('no file');
  });

  it('lesson 8: has an id that derives from its time alone', () => {
    expect(runIdOf(recordedAt)).toBe(runIdOf(recordedAt));
    expect(runIdOf(recordedAt)).not.toBe(runIdOf('2026-04-27T06:00:00.001Z'));
  });
});
