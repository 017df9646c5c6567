/** One element of a file of documents: its JSON text, and the line of the file (from 1) on which it begins. */
export interface JsonElement {
  readonly text: string;
  readonly line: number;
}

/** Nothing larger is taken for one document: it would not fit a request either. */
export const elementCharactersMax = 8 * 1024 * 1024;

/** The file is neither NDJSON nor a JSON array. */
export class ElementError extends Error {
  override readonly name = 'ElementError';
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/**
 * Cuts NDJSON (a value a line) or one JSON array into the texts of its elements, in constant memory. Decides by the
 * first character that is not white space. Says nothing about whether an element is valid JSON.
 * @throws ElementError for an array that does not end, or has something behind its end, and for an element too large
 */
export async function* jsonElements(chunks: AsyncIterable<string>): AsyncGenerator<JsonElement, void, void> {
  let scanner: Scanner | undefined;
  for await (const chunk of chunks) {
    let from = 0;
    if (scanner === undefined) {
      const first = chunk.search(/[^\s\uFEFF]/);
      if (first < 0) throw new ElementError(1, 'the file begins with nothing but white space');
      scanner = chunk[first] === '[' ? arrayScanner() : lineScanner();
      from = chunk.charCodeAt(0) === 0xfeff ? 1 : 0;
    }
    yield* scanner.feed(from === 0 ? chunk : chunk.slice(from));
  }
  if (scanner !== undefined) yield* scanner.end();
}

interface Scanner {
  feed(chunk: string): Iterable<JsonElement>;
  end(): Iterable<JsonElement>;
}

function tooLarge(line: number): ElementError {
  return new ElementError(
    line,
    `holds more than ${elementCharactersMax} characters, which is too much for one document`,
  );
}

function lineScanner(): Scanner {
  let rest = '';
  let line = 1;
  return {
    *feed(chunk) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) {
        if (text.trim() !== '') yield { text: text.trim(), line };
        line += 1;
      }
      if (rest.length > elementCharactersMax) throw tooLarge(line);
    },
    *end() {
      if (rest.trim() !== '') yield { text: rest.trim(), line };
    },
  };
}

/** Follows brackets and strings only: an element ends at a comma or bracket of the array itself. */
function arrayScanner(): Scanner {
  let line = 1;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let begunAt = 0;
  let rest = '';
  let closed = false;

  const cut = (text: string): JsonElement | undefined => {
    const element = text.trim() === '' ? undefined : { text: text.trim(), line: begunAt };
    begunAt = 0;
    return element;
  };

  return {
    *feed(chunk) {
      let from = 0;
      for (let at = 0; at < chunk.length; at++) {
        const character = chunk[at] ?? '';
        if (character === '\n') line += 1;
        if (inString) {
          if (escaped) escaped = false;
          else if (character === '\\') escaped = true;
          else if (character === '"') inString = false;
          continue;
        }
        if (/\s/.test(character)) continue;
        if (closed) throw new ElementError(line, `has "${character}" behind the end of the array`);
        const endsElement = depth === 1 && (character === ',' || character === ']');
        if (endsElement) {
          const element = cut(rest + chunk.slice(from, at));
          rest = '';
          from = at + 1;
          if (element !== undefined) yield element;
          else if (character === ',') throw new ElementError(line, 'has a comma without an element before it');
        } else if (depth > 0 && begunAt === 0) begunAt = line;
        if (character === '"') inString = true;
        if (character === '[' || character === '{') depth += 1;
        if (character === ']' || character === '}') depth -= 1;
        if (depth === 1 && character === '[') from = at + 1;
        closed = depth === 0;
      }
      rest += chunk.slice(from);
      if (closed) rest = '';
      if (rest.length > elementCharactersMax) throw tooLarge(begunAt);
    },
    end() {
      if (closed) return [];
      throw new ElementError(line, 'is where the file ends, but its array is not closed');
    },
  };
}
