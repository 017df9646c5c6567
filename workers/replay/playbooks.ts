import { type RagSample, ragSampleSchema } from '../../schemas/distillation/exports.ts';
import { issueSentence } from '../../schemas/problems.ts';
import { readLines } from '../distillation/files/json-lines.ts';

/** The corpus that exported playbooks are indexed in. */
export const playbookCorpusDefault = 'distilled_playbooks';

/** The exported playbooks of a file, in order. @throws Error naming the first line that is none */
export async function* readPlaybooks(path: string): AsyncGenerator<RagSample, void, void> {
  let line = 0;
  for await (const { text } of readLines(path)) {
    line++;
    const sample = ragSampleSchema.safeParse(JSON.parse(text));
    if (!sample.success) throw new Error(`${path}, line ${line} is no playbook: ${issueSentence(sample.error)}`);
    yield sample.data;
  }
}

/** A playbook as a document of a corpus: found by its title and content, read back whole from its metadata. */
export function documentOf(sample: RagSample): { id: string; text: string; metadata: Record<string, unknown> } {
  return { id: sample.id, text: `${sample.title}\n${sample.content}`, metadata: { ...sample, source: 'distillation' } };
}

/** The playbook in a document's metadata; undefined where it holds none. */
export function playbookOf(metadata: Readonly<Record<string, unknown>> | undefined): RagSample | undefined {
  const { source: _source, ...rest } = metadata ?? {};
  return ragSampleSchema.safeParse(rest).data;
}
