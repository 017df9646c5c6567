/** Words that tell nothing of what a task is about. */
const stopwords: ReadonlySet<string> = new Set(
  'a an and are as at be by for from has have in is it its of on or that the this to was were will with you your'.split(
    ' ',
  ),
);
const tokenCharactersMin = 2;

/** The words of a text in lower case, each once: letters and digits, two characters or more, without the usual words. */
export function tokenSet(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => word.length >= tokenCharactersMin && !stopwords.has(word)));
}

/** Jaccard's index: what two sets share of all that they hold; 0 where both are empty. */
export function jaccard(first: ReadonlySet<string>, second: ReadonlySet<string>): number {
  let shared = 0;
  for (const token of first) if (second.has(token)) shared++;
  const all = first.size + second.size - shared;
  return all === 0 ? 0 : shared / all;
}
