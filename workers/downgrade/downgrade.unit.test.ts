import { describe, expect, it } from 'vitest';
import { ProblemError } from '../../schemas/problems.ts';
import { downgradeRequestSchema } from '../../schemas/requests/downgrade.ts';
import { parseRequest } from '../../schemas/requests/parse.ts';
import { type DowngradeDefaults, decideDowngrade } from './downgrade.ts';

const weakModels = ['qwen3.5:latest', 'qwen3:latest'];
const unset: DowngradeDefaults = { forceFullEnrichment: false, weakModels };
const decide = (request: object, defaults = unset) =>
  decideDowngrade(parseRequest(downgradeRequestSchema, request), defaults);

const strong = 'grok-4.1-fast';
const lakehouse = { mode: 'codereview_lakehouse', model: strong };
const kept = { mode: 'codereview_lakehouse' };
const flipped = { mode: 'codereview_isolation', downgraded_from: 'codereview_lakehouse', reason: 'strong_model' };

describe('the five rows', () => {
  it.each([
    ['lakehouse, strong: isolated', lakehouse, flipped],
    ['lakehouse, weak: as it is', { ...lakehouse, model: 'qwen3.5:latest' }, { ...kept, reason: 'weak_model' }],
    ['lakehouse, strong, forced: as it is', { ...lakehouse, forced_mode: true }, { ...kept, reason: 'forced' }],
    [
      'lakehouse, strong, full enrichment: as it is',
      { ...lakehouse, force_full_enrichment: true },
      { ...kept, reason: 'full_enrichment' },
    ],
    ['another mode: as it is', { mode: 'ask', model: strong }, { mode: 'ask', reason: 'other_mode' }],
  ])('%s', (_name, request, expected) => {
    expect(decide(request)).toEqual(expected);
  });
});

describe('which models are weak', () => {
  it.each(['grok:free', 'router/x:free/y', 'qwen3:latest'])('%s is', (model) => {
    expect(decide({ ...lakehouse, model }).reason).toBe('weak_model');
  });

  it.each(['qwen3', 'free', 'grok:freeze', ''])('"%s" is not', (model) => {
    expect(decide({ ...lakehouse, model })).toEqual(flipped);
  });
});

describe('what decides', () => {
  it('reference 10.31: the request, where it says; else the environment', () => {
    const enriched = { ...unset, forceFullEnrichment: true };
    expect(decide(lakehouse, enriched).reason).toBe('full_enrichment');
    expect(decide({ ...lakehouse, force_full_enrichment: false }, enriched)).toEqual(flipped);
  });

  it('a mode forced by name is forced; none by an empty name', () => {
    expect(decide({ ...lakehouse, forced_mode: 'codereview_lakehouse' }).reason).toBe('forced');
    expect(decide({ ...lakehouse, forced_mode: '' })).toEqual(flipped);
    expect(decide({ ...lakehouse, forced_mode: false })).toEqual(flipped);
  });

  it('not without a mode', () => {
    for (const mode of ['', '  ', undefined]) expect(() => decide({ mode, model: strong })).toThrow(ProblemError);
  });
});
