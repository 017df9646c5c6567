const mebibyte = 1024 * 1024;

/** Every limit towards an S3 service, in one place; the unit is last in the name. */
export const s3Limits = {
  connectTimeoutMs: 5_000,
  /** From sending a request until its answer begins; a part is on its way within it. */
  requestTimeoutMs: 60_000,
  /** Without a byte in either direction. */
  idleTimeoutMs: 30_000,
  /** Within which the body of one range has to be here. */
  readTimeoutMs: 60_000,
  /** Of one request, and of reading one range: the first one counts. Between them the client waits longer and longer. */
  attemptsMax: 4,
  /** What one upload holds in memory. S3 takes no part below 5 MiB but the last. */
  partBytes: 8 * mebibyte,
  partsMax: 10_000,
  /** What one reader holds in memory. */
  rangeBytes: 8 * mebibyte,
  /** Objects of one listing: many more are not ours. */
  listedMax: 200_000,
  /** An upload that was begun so long ago belongs to a process that died. */
  uploadAgeMaxMs: 24 * 3_600_000,
} as const;
export type S3Limits = { readonly [Name in keyof typeof s3Limits]: number };
