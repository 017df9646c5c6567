/** What a source file defines and what it takes from others, read by line, in Rust and TypeScript. */
export interface Symbols {
  readonly defined: readonly string[];
  readonly imported: readonly string[];
}

// Anchored to lines and without nested repetition, so that no text makes them slow.
const definition =
  /^[ \t]*(?:(?:pub(?:\([a-z ]{1,32}\))?|export|default|declare|abstract|async|unsafe|const|extern)[ \t]+){0,5}(?:fn|struct|enum|trait|mod|union|static|type|function\*?|class|interface|const|let|var)[ \t]+(?:mut[ \t]+)?([A-Za-z_$][\w$]*)/gm;
const rustUse = /^[ \t]*(?:pub[ \t]+)?use[ \t]+([^;]{1,2000});/gm;
const typescriptImport = /^[ \t]*import[ \t]+(?:type[ \t]+)?([^'";]{1,2000}?)[ \t\n]*from[ \t]*['"]/gm;
const identifier = /^[A-Za-z_$][\w$]*$/;

export function extractSymbols(content: string): Symbols {
  const defined = new Set<string>();
  const imported = new Set<string>();
  for (const [, name = ''] of content.matchAll(definition)) defined.add(name);
  for (const [, path = ''] of content.matchAll(rustUse)) for (const name of namesOf(path)) imported.add(name);
  for (const [, names = ''] of content.matchAll(typescriptImport))
    for (const name of namesOf(names)) imported.add(name);
  return { defined: [...defined], imported: [...imported] };
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
