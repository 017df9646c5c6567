const openers: ReadonlySet<number> = new Set([0x7b, 0x5b]); // { [
const closers: ReadonlySet<number> = new Set([0x7d, 0x5d]); // } ]
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const arrayOpens = 0x5b;
const arrayCloses = 0x5d;

/**
 * Cuts a JSON array into the bytes of its elements, each as its producer wrote it: number formats and the order of keys
 * live on. Only the outermost brackets and commas are judged here; an element is JSON when `JSON.parse` says so.
 * @param bytes UTF-8; every mark of JSON is ASCII, so no character can be cut
 * @returns undefined where the text is not one array of elements
 */
export function arrayElements(bytes: Uint8Array): Uint8Array[] | undefined {
  const elements: Uint8Array[] = [];
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== arrayOpens) return undefined;
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === arrayCloses) return onlySpaceAfter(bytes, at + 1) ? elements : undefined;
  for (;;) {
    const end = elementEnd(bytes, at);
    if (end === undefined) return undefined;
    const element = bytes.subarray(at, trimmedEnd(bytes, at, end));
    if (element.length === 0) return undefined;
    elements.push(element);
    if (bytes[end] === arrayCloses) return onlySpaceAfter(bytes, end + 1) ? elements : undefined;
    at = skipSpace(bytes, end + 1);
  }
}

/** Where the comma or the bracket behind an element stands. */
function elementEnd(bytes: Uint8Array, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) at = closingQuote(bytes, at);
    else if (openers.has(byte)) depth++;
    else if (depth === 0 && (byte === comma || byte === arrayCloses)) return at;
    else if (closers.has(byte)) depth--;
    if (depth < 0) return undefined;
  }
  return undefined;
}

/** Where a string ends, or the end of all where it does not. */
function closingQuote(bytes: Uint8Array, opening: number): number {
  for (let at = opening + 1; at < bytes.length; at++) {
    if (bytes[at] === backslash) at++;
    else if (bytes[at] === quote) return at;
  }
  return bytes.length;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at++;
  return at;
}

function trimmedEnd(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && isSpace(bytes[end - 1])) end--;
  return end;
}

function onlySpaceAfter(bytes: Uint8Array, from: number): boolean {
  return skipSpace(bytes, from) === bytes.length;
}
