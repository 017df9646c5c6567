/** What a source file defines and what it takes from others, read by line, in Rust and TypeScript. */
export interface Symbols {
  readonly defined: readonly string[];
  readonly imported: readonly string[];
}

// Anchored to lines, and no two repetitions that can take the same characters stand beside one another: where they do, a
// text of some thousand blanks takes minutes. What lies behind a head is therefore cut out by hand.
const definition =
  /^[ \t]*(?:(?:pub(?:\([a-z ]{1,32}\))?|export|default|declare|abstract|async|unsafe|const|extern)[ \t]+){0,5}(?:fn|struct|enum|trait|mod|union|static|type|function\*?|class|interface|const|let|var)[ \t]+(?:mut[ \t]+)?([A-Za-z_$][\w$]*)/gm;
const rustUse = /^[ \t]*(?:pub[ \t]+)?use[ \t]/gm;
const typescriptImport = /^[ \t]*import[ \t]/gm;
/** Characters of one clause behind `use` or `import`. */
const clauseCharactersMax = 2_000;
const identifier = /^[A-Za-z_$][\w$]*$/;

export function extractSymbols(content: string): Symbols {
  const defined = new Set<string>();
  const imported = new Set<string>();
  for (const [, name = ''] of content.matchAll(definition)) defined.add(name);
  const clauses = [
    ...clausesBehind(content, rustUse, useClause),
    ...clausesBehind(content, typescriptImport, importClause),
  ];
  for (const clause of clauses) for (const name of namesOf(clause)) imported.add(name);
  return { defined: [...defined], imported: [...imported] };
}

/** What stands behind each head, as far as `clauseOf` finds one there. */
function clausesBehind(content: string, head: RegExp, clauseOf: (rest: string) => string | undefined): string[] {
  return [...content.matchAll(head)].flatMap(({ 0: { length }, index }) => {
    const from = index + length;
    return clauseOf(content.slice(from, from + clauseCharactersMax)) ?? [];
  });
}

/** Up to the semicolon. */
function useClause(rest: string): string | undefined {
  const end = rest.indexOf(';');
  return end < 0 ? undefined : rest.slice(0, end);
}

/** Up to the `from` in front of the first quote. */
function importClause(rest: string): string | undefined {
  const end = rest.search(/['";]/);
  if (end < 0 || rest[end] === ';') return undefined;
  const clause = rest.slice(0, end).trimEnd();
  return clause.endsWith('from') ? clause.slice(0, -'from'.length).replace(/^[ \t]*type[ \t]+/, '') : undefined;
}

/** `a::b::{C, D as E}` names C and D; `X, { type Y }` names X and Y; `* as z` names z. */
function namesOf(clause: string): string[] {
  return clause.split(/[{},]/).flatMap((part) => {
    const trimmed = part.trim().replace(/^type[ \t]+/, '');
    const [original = '', alias] = trimmed.split(/[ \t]+as[ \t]+/);
    const name = original === '*' ? (alias ?? '') : lastSegment(original);
    return identifier.test(name) ? [name] : [];
  });
}

/** `Registry` of `catalogd::Registry`: what a text calls it by. */
export function lastSegment(symbol: string): string {
  return symbol.slice(Math.max(symbol.lastIndexOf(':'), symbol.lastIndexOf('.')) + 1);
}
