import type { PrefixScheme } from '../../../schemas/space.ts';

/** What has to be known of a model to send it texts. */
export interface ModelTraits {
  readonly prefixScheme: PrefixScheme;
  /** Tokens that the model was trained to read. */
  readonly textTokensMax: number;
}

/** The first entry whose prefix the bare model name has. */
const known: readonly (readonly [string, ModelTraits])[] = [
  ['nomic-embed-text-v2-moe', { prefixScheme: 'nomic', textTokensMax: 512 }],
  ['nomic-embed-text', { prefixScheme: 'nomic', textTokensMax: 2048 }],
];

/** A model that is not known is sent bare texts of at most the length that nearly every embedding model reads. */
const unknown: ModelTraits = { prefixScheme: 'none', textTokensMax: 512 };

/** The traits of a model by its Ollama name, whatever its namespace (`somebody/`) and tag (`:latest`). */
export function traitsOf(model: string): ModelTraits {
  const bareName = withoutTag(model).split('/').at(-1) ?? '';
  return known.find(([prefix]) => bareName.startsWith(prefix))?.[1] ?? unknown;
}

/** Whether two Ollama names mean one model: no tag is the tag `latest`, and case does not count. */
export function isSameModel(one: string, other: string): boolean {
  return withTag(one).toLowerCase() === withTag(other).toLowerCase();
}

function withoutTag(model: string): string {
  return model.replace(/:[^/]*$/, '');
}

function withTag(model: string): string {
  return /:[^/]*$/.test(model) ? model : `${model}:latest`;
}
