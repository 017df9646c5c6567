/** Every limit of the server process, in one place; the unit is last in the name. */
export const serverLimits = {
  /** Fits the largest HTTP body (4 MiB) as base64 in an envelope. */
  maxPayloadBytes: 8 * 1024 * 1024,
  /** Nothing is kept in memory streams; the allowance is for ephemeral consumer state. */
  memoryStoreBytesMax: 64 * 1024 * 1024,
  /** Byte limits of all streams together must stay below this, or the server refuses to create them. */
  fileStoreBytesMax: 64 * 1024 * 1024 * 1024,
  startDeadlineMs: 20_000,
  startPollMs: 10,
  probeTimeoutMs: 2_000,
  stopDeadlineMs: 10_000,
  installDeadlineMs: 300_000,
  versionDeadlineMs: 10_000,
  /** How much of the server's log is quoted when it does not start. */
  logTailBytes: 2_000,
  passwordBytes: 32,
  /** Servers of a cluster ask one another and their clients so often, and give up after so many without an answer. */
  clusterPingIntervalMs: 3_000,
  clusterPingsMax: 2,
} as const;
