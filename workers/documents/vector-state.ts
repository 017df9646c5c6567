import type { VectorData } from '../../schemas/events/document.ts';
import { later } from '../registers/registers.ts';

type ContentRegister = VectorData['content'];

/** Of equally late states the one that is there: the absence is a word about another space's document. */
function laterOrPresent(one: ContentRegister, other: ContentRegister): ContentRegister {
  if (one.version === other.version && one.value === null) return other;
  return later(one, other);
}

/** Joins what is known of a document in one space with a state of it. Undefined where that adds nothing. */
export function joinVectorStates(known: VectorData | undefined, state: VectorData): VectorData | undefined {
  if (known === undefined) return state;
  const content = laterOrPresent(known.content, state.content);
  const metadata = later(known.metadata, state.metadata);
  const sameContent =
    content === known.content || (content.version === known.content.version && content.value === null);
  if (sameContent && metadata === known.metadata) return undefined;
  return { ...known, content, metadata };
}
