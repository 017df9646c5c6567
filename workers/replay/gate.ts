import { tokenSet } from './tokens.ts';

export const gateLimits = { charactersMin: 80 } as const;

/** What a model says in place of an answer. */
const hedges = [
  'as an ai',
  'i cannot',
  "i can't",
  'i am unable',
  "i'm unable",
  'i do not have access',
  "i don't have access",
] as const;

export interface GateResult {
  readonly passed: boolean;
  readonly reasons: readonly string[];
}

/**
 * Looks at the form of an answer: long enough, not a hedge, and about one of the checks that it was given, where there were
 * any. It is deterministic and asks no model. It does NOT notice an answer that is made up: a long invented text passes.
 */
export function checkAnswer(answer: string, validationSteps: readonly string[]): GateResult {
  const text = answer.trim();
  const reasons: string[] = [];
  if (text === '') reasons.push('the answer is empty');
  else if (text.length < gateLimits.charactersMin)
    reasons.push(`the answer has ${text.length} characters, fewer than ${gateLimits.charactersMin}`);
  const lower = text.toLowerCase().replaceAll('’', "'");
  for (const hedge of hedges) if (lower.includes(hedge)) reasons.push(`the answer hedges: "${hedge}"`);
  const wanted = tokenSet(validationSteps.join(' '));
  const said = tokenSet(text);
  if (wanted.size > 0 && ![...wanted].some((token) => said.has(token)))
    reasons.push('the answer speaks of none of the checks that it was given');
  return { passed: reasons.length === 0, reasons };
}
