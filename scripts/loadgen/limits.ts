export const loadLimits = {
  concurrencyMax: 10_000,
  /** Without a byte from the server for so long, a request has failed. */
  requestTimeoutMs: 30_000,
  /** A connection that failed rests so long, or a server that is away would be asked in a hot loop. */
  reconnectDelayMs: 10,
  /** How long past its end an open loop goes on sending what was due before it. */
  drainMsMax: 10_000,
  progressEveryMs: 1000,
} as const;
