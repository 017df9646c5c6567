import { describe, expect, it } from 'vitest';
import { searchRequestSchema } from '../../schemas/requests/matrix.ts';
import { parseState } from './moments.ts';
import { asLogged, parsePolicy, underPolicy } from './policy.ts';

const logged = searchRequestSchema.parse({
  query_text: 'a welder',
  corpora: ['workers'],
  use_playbook: true,
  query_role: 'Welder',
});

describe('a policy', () => {
  it('is read of terms between commas', () => {
    expect(parsePolicy('as-logged')).toEqual(asLogged);
    const text = 'playbooks=on, role-gate=off,boost=0.3,without=pb-1126c52bd106df6b,without=pb-1126c52bd106df6c';
    expect(parsePolicy(text)).toEqual({
      name: text,
      playbooks: true,
      roleGate: false,
      boostStrength: 0.3,
      without: ['pb-1126c52bd106df6b', 'pb-1126c52bd106df6c'],
    });
  });

  it.each([
    ['nonsense', '"nonsense" is no policy'],
    ['playbooks=maybe', 'playbooks="maybe" is not one of on, off'],
    ['boost=2', 'boost="2" is not a number from 0 to 1'],
    ['boost=', 'boost="" is not a number from 0 to 1'],
    ['without=welder', 'without="welder" names no playbook'],
    ['as-logged,boost=0', '"as-logged" is no policy'],
  ])('%s is refused', (text, why) => {
    expect(() => parsePolicy(text)).toThrow(why);
  });

  it('changes what it names of a search, and nothing else', () => {
    expect(underPolicy(logged, asLogged)).toEqual(logged);
    expect(underPolicy(logged, parsePolicy('playbooks=off'))).toEqual({ ...logged, use_playbook: false });
    expect(underPolicy(logged, parsePolicy('role-gate=off,max-distance=0.3,retrieval=hybrid'))).toEqual({
      ...logged,
      query_role: '',
      playbook_max_distance: 0.3,
      retrieval: 'hybrid',
    });
  });

  it('asks no words of a vector', () => {
    const { query_text: _, ...rest } = logged;
    const byVector = { ...rest, query_vector: [1, 2] };
    expect(underPolicy(byVector, parsePolicy('retrieval=lexical'))).toEqual(byVector);
  });
});

describe('the name of a state', () => {
  it.each([
    ['now', { position: {} }],
    ['4031', { untilSequence: 4031 }],
    ['PLAYBOOKS=12', { position: { PLAYBOOKS: 12 } }],
    ['INGEST=4031,PLAYBOOKS=12', { position: { INGEST: 4031, PLAYBOOKS: 12 } }],
    ['2026-11-17T09:00:00Z', { asOfMs: Date.UTC(2026, 10, 17, 9) }],
  ])('%s is read', (text, past) => {
    expect(parseState(text)).toEqual({ name: text, past });
  });

  it.each(['yesterday', 'VECTORS=3', 'INGEST=', ''])('"%s" is refused', (text) => {
    expect(() => parseState(text)).toThrow(RangeError);
  });
});
