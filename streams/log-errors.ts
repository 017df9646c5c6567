/** Something that was needed is away; the same work will succeed later, so it is tried again and never rejected. */
export class OutageError extends Error {
  readonly code: 'unavailable' | 'store_full';
  constructor(code: 'unavailable' | 'store_full', message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'OutageError';
    this.code = code;
  }
}

/** Somebody else appended to the subject in between; nothing was written. */
export class ConflictError extends Error {}
