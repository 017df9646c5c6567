import { createHash } from 'node:crypto';
import { playbookIdDigits } from './limits.ts';

/**
 * The id of a playbook: `pb-` and the first 8 bytes of the SHA-256 of `query|answer id|answer corpus` in UTF-8, as
 * 16 hexadecimal digits. The text is taken as it stands, and neither role nor score is part of it, so recording the
 * same choice again replaces what was recorded.
 */
export function playbookId(queryText: string, answerId: string, answerCorpus: string): string {
  const digest = createHash('sha256').update(`${queryText}|${answerId}|${answerCorpus}`, 'utf8').digest('hex');
  return `pb-${digest.slice(0, playbookIdDigits)}`;
}
