/** Bytes that come in pieces, in about the memory of the bytes, however small the pieces are. */
export interface GatheredBytes {
  readonly length: () => number;
  add(piece: Buffer): void;
  /** Everything that was added, in one piece; then there is nothing. A lone piece is given as it came. */
  take(): Buffer;
}

/** So many pieces are kept as they came: most bodies have one, and the longest of a quick client some dozens. */
const piecesMax = 128;
const nothing = Buffer.alloc(0);

/**
 * A piece that is kept by itself costs an object of some hundred bytes, so that a body in pieces of a byte would cost a
 * hundred times what it may have. Beyond a few pieces they are copied together into a buffer that doubles as it grows.
 */
export function gatherBytes(): GatheredBytes {
  let pieces: Buffer[] = [];
  let length = 0;
  let joined = nothing;
  let joinedBytes = 0;
  const join = (piece: Buffer) => {
    const needed = joinedBytes + piece.length;
    if (needed > joined.length) {
      const larger = Buffer.allocUnsafe(2 * needed);
      joined.copy(larger, 0, 0, joinedBytes);
      joined = larger;
    }
    joinedBytes += piece.copy(joined, joinedBytes);
  };
  return {
    length: () => length,
    add: (piece) => {
      length += piece.length;
      if (joinedBytes === 0 && pieces.length < piecesMax) {
        pieces.push(piece);
        return;
      }
      for (const earlier of pieces) join(earlier);
      pieces = [];
      join(piece);
    },
    take: () => {
      const [first = nothing] = pieces;
      const together = pieces.length > 1 ? Buffer.concat(pieces, length) : first;
      const taken = joinedBytes > 0 ? joined.subarray(0, joinedBytes) : together;
      pieces = [];
      joined = nothing;
      length = 0;
      joinedBytes = 0;
      return taken;
    },
  };
}
