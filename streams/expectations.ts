/** Whether what comes next is expected to be new, by what came before: producers load in runs. */
export interface Expectations<Kind> {
  readonly isNew: (kind: Kind) => boolean;
  /** One was looked for: it was there, or it is new. */
  found(kind: Kind, there: boolean): void;
}

/** A single one that is new among others says little of the next. */
const newInARow = 3;

export function createExpectations<Kind>(): Expectations<Kind> {
  const inARow = new Map<Kind, number>();
  return {
    isNew: (kind) => (inARow.get(kind) ?? 0) >= newInARow,
    found: (kind, there) => {
      inARow.set(kind, there ? 0 : (inARow.get(kind) ?? 0) + 1);
    },
  };
}
