import { playbookIdSchema } from '../../schemas/events/playbook.ts';
import { type RetrievalMode, retrievalSchema } from '../../schemas/requests/explain.ts';
import type { SearchRequest } from '../../schemas/requests/matrix.ts';

/** How a logged search is ranked when it is asked again, where that is otherwise than it was asked. */
export interface Policy {
  /** As it was written; `as-logged` where nothing is otherwise. */
  readonly name: string;
  readonly playbooks?: boolean;
  /** False: the role of a query keeps no playbook out. */
  readonly roleGate?: boolean;
  /** Part of a distance that a playbook of score 1 takes away. */
  readonly boostStrength?: number;
  readonly maxDistance?: number;
  readonly maxInjectDistance?: number;
  readonly retrieval?: RetrievalMode;
  /** Playbooks that are passed over, as if they had been taken back. */
  readonly without?: readonly string[];
}

export const asLogged: Policy = { name: 'as-logged' };

/** What a policy may say, a sentence each. */
export const policyTerms = {
  'as-logged': 'every search as it was asked',
  'playbooks=on|off': 'whether playbooks lift answers',
  'role-gate=off': 'playbooks of any role count',
  'boost=0..1': 'part of a distance that a playbook of score 1 takes away (0.5)',
  'max-distance=0..4': 'playbooks beyond it do nothing (0.5)',
  'max-inject-distance=0..4': 'playbooks beyond it bring nothing in (0.2)',
  'retrieval=vector|lexical|hybrid': 'how candidates are found',
  'without=PLAYBOOK_ID': 'that playbook is passed over, as if it had been taken back',
} as const;

/** Reads terms that are separated by commas. @throws RangeError with what is wrong */
export function parsePolicy(text: string): Policy {
  let policy: Policy = { name: text };
  const terms = text.split(',').map((term) => term.trim());
  for (const term of terms) {
    if (term === asLogged.name && terms.length === 1) return asLogged;
    const [name = '', value = ''] = term.split('=', 2);
    const read = readers[name];
    if (read === undefined) throw new RangeError(`"${term}" is no policy`);
    policy = { ...policy, ...read(value, policy) };
  }
  return policy;
}

type Reader = (value: string, policy: Policy) => Omit<Policy, 'name'>;

const readers: Readonly<Record<string, Reader>> = {
  playbooks: (value) => ({ playbooks: oneOf('playbooks', value, ['on', 'off']) === 'on' }),
  'role-gate': (value) => ({ roleGate: oneOf('role-gate', value, ['off']) !== 'off' }),
  boost: (value) => ({ boostStrength: numberUpTo('boost', value, 1) }),
  'max-distance': (value) => ({ maxDistance: numberUpTo('max-distance', value, 4) }),
  'max-inject-distance': (value) => ({ maxInjectDistance: numberUpTo('max-inject-distance', value, 4) }),
  retrieval: (value) => ({ retrieval: oneOf('retrieval', value, retrievalSchema.options) }),
  without: (value, { without = [] }) => {
    if (!playbookIdSchema.safeParse(value).success)
      throw new RangeError(`without="${value}" names no playbook, such as pb-1126c52bd106df6b`);
    return { without: [...without, value] };
  },
};

function oneOf<Value extends string>(name: string, value: string, values: readonly Value[]): Value {
  const found = values.find((one) => one === value);
  if (found === undefined) throw new RangeError(`${name}="${value}" is not one of ${values.join(', ')}`);
  return found;
}

function numberUpTo(name: string, value: string, max: number): number {
  const number = Number(value);
  if (value === '' || !(number >= 0 && number <= max))
    throw new RangeError(`${name}="${value}" is not a number from 0 to ${max}`);
  return number;
}

/** A search as a policy asks it. Words that it does not have are not asked of it. */
export function underPolicy(request: SearchRequest, policy: Policy): SearchRequest {
  const { playbooks, roleGate = true, maxDistance, maxInjectDistance, retrieval } = policy;
  const hasWords = request.query_text !== undefined;
  return {
    ...request,
    ...(playbooks === undefined ? {} : { use_playbook: playbooks }),
    ...(roleGate ? {} : { query_role: '' }),
    ...(maxDistance === undefined ? {} : { playbook_max_distance: maxDistance }),
    ...(maxInjectDistance === undefined ? {} : { playbook_max_inject_distance: maxInjectDistance }),
    ...(retrieval === undefined || !hasWords ? {} : { retrieval }),
  };
}
