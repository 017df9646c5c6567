/** What one request holds of the bytes that all bodies together may take. */
export interface BodyShare {
  /** Bytes that the request has at most; false where that is more than is left, and nothing is changed. */
  resize(bytes: number): boolean;
  /** Gives everything back. May be called again. */
  release(): void;
}

/** Bounds the memory that bodies take, whatever their number and size. */
export interface BodyBudget {
  share(): BodyShare;
  /** Bytes that are held now. */
  readonly held: () => number;
  readonly bytesMax: number;
}

export function createBodyBudget(bytesMax: number): BodyBudget {
  let held = 0;
  return {
    bytesMax,
    held: () => held,
    share: () => {
      let own = 0;
      return {
        resize: (bytes) => {
          if (bytes > own && held - own + bytes > bytesMax) return false;
          held += bytes - own;
          own = bytes;
          return true;
        },
        release: () => {
          held -= own;
          own = 0;
        },
      };
    },
  };
}
