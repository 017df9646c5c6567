import { formatSpace } from '../../schemas/space.ts';
import { type DigestOptions, digestInSlices } from '../digest/digest.ts';
import type { CorpusIndex } from './corpus-index.ts';

/** The state digest of an index. The caller holds writes to it back meanwhile; searches go on. */
export function digestOfIndex(
  { kind, corpus, index }: { readonly kind: string; readonly corpus: string; readonly index: CorpusIndex },
  options: DigestOptions = {},
): Promise<string> {
  return digestInSlices({ kind, corpus, space: formatSpace(index.space) }, index.entries(), options);
}
