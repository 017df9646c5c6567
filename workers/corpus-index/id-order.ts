/**
 * Compares well-formed texts by their UTF-8 bytes, which is by code point. JavaScript's own order is by UTF-16 unit and
 * puts the surrogates of U+10000 and above before U+E000 to U+FFFF.
 */
export function compareIds(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let place = 0; place < length; place++) {
    const a = one.charCodeAt(place);
    const b = other.charCodeAt(place);
    if (a !== b) return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return one.length - other.length;
}

/** With the other unit not a surrogate, one that is stands for U+10000 or above and comes later. */
function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
