/** Every limit of the HTTP edge that is not configuration, in one place; the unit is last in the name. */
export const gatewayLimits = {
  /** A client that dribbles its headers or its body is let go after this long (slow-loris). */
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  /** Longer than the idle time of the usual load balancers, so that it is they who close. */
  keepAliveTimeoutMs: 72_000,
  /** 0: a connection serves without end. */
  requestsPerSocketMax: 0,
  /** Connections at once: more are closed as they come. */
  connectionsMax: 4_096,
  /** Requests of one connection that are not answered yet (pipelining): more are refused. Browsers send one at a time. */
  requestsPerConnectionMax: 32,
  /** A client that takes nothing of its answer for so long is let go; longer than anything that a request waits for. */
  stalledMs: 90_000,
  /** What a client that met 503 or 504 is told to wait. */
  retryAfterSeconds: 1,
  /** How long `/readyz` waits for an index worker to answer. */
  readyDeadlineMs: 2_000,
  /** Rows of one ingest request that are on their way to the log at once. */
  publishWindowRows: 256,
  /**
   * Lines of a stream that are read and on their way at once. What lives no longer than a few milliseconds is let go of
   * cheaply; four times as many live long enough to be kept until everything is collected.
   */
  streamWindowLines: 64,
  /** Checking the rows of a large request lets other requests in after this long. */
  checkSliceMs: 5,
  /** What the headers of an ingest event may take of the largest message that the log takes. */
  eventHeaderBytesMax: 1_024,
  idempotencyKeyCharactersMax: 255,
  /** A part of a path as it is written: an id of 256 characters, each percent-encoded as four bytes of UTF-8. */
  pathPartCharactersMax: 3_072,
  /** A stream that is waited for and brings nothing for so long is let go. */
  streamIdleMs: 60_000,
  /** The rest of a stream that was answered before its end flows so long at most, so that its client gets to the answer. */
  streamLingerMs: 10_000,
  /** Streams that are read at once. */
  streamsMax: 64,
  /** Clients whose requests are counted; beyond them the one that was longest away is forgotten. */
  rateLimitClientsMax: 10_000,
  /** How long a browser remembers what a page may ask. */
  corsMaxAgeSeconds: 600,
} as const;
