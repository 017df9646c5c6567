import type { Retrieved } from './retrieve.ts';

export const bundleLimits = { exemplarsMax: 3, failurePatternsMax: 2 } as const;

/** What a model is shown beside the task. */
export interface Bundle {
  /** Playbooks that were accepted. */
  readonly exemplars: readonly string[];
  /** Playbooks that were accepted in part: what to look out for. */
  readonly failurePatterns: readonly string[];
  /** Lines of accepted playbooks that say what to check. */
  readonly validationSteps: readonly string[];
}

const stepPattern = /^(?:[-*\d.\s]*)(?:verify|check|assert|ensure)\b/i;

/** Makes the bundle of what was retrieved, the nearest first. */
export function bundleOf(retrieved: readonly Retrieved[]): Bundle {
  const contentOf = (category: string) =>
    retrieved.filter(({ sample }) => sample.success_score === category).map(({ sample }) => sample.content);
  const accepted = contentOf('accepted');
  return {
    exemplars: accepted.slice(0, bundleLimits.exemplarsMax),
    failurePatterns: contentOf('partially_accepted').slice(0, bundleLimits.failurePatternsMax),
    validationSteps: [...new Set(accepted.flatMap(stepsOf))],
  };
}

/** Sentences count as lines: a playbook is often one paragraph. */
function stepsOf(content: string): string[] {
  return content
    .split(/\n|(?<=[.!?:])\s+/)
    .map((line) => line.trim())
    .filter((line) => stepPattern.test(line));
}

export interface Prompt {
  readonly system: string;
  readonly user: string;
}

const system =
  'You carry out tasks for a staffing and engineering team. Follow what worked before, avoid what did not, and say how ' +
  'each check that you are given was met. Where you do not know something, say so and what would tell; invent nothing.';

/** The prompt of a task, with the bundle where there is one. */
export function promptOf(task: string, bundle: Bundle | undefined): Prompt {
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`${title}:\n${lines.map((line) => `- ${line}`).join('\n')}`];
  const parts =
    bundle === undefined
      ? []
      : [
          ...part('What worked before', bundle.exemplars),
          ...part('What worked in part only', bundle.failurePatterns),
          ...part('Checks that have to be met', bundle.validationSteps),
        ];
  return { system, user: [`Task: ${task}`, ...parts].join('\n\n') };
}
