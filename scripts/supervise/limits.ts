/** Every limit of the supervisor; the unit is last in the name. */
export interface SupervisorLimits {
  /** Wait before the first restart after a crash; doubles with each further crash. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** A process that has been ready for this long is healthy: its next crash counts as its first. */
  readonly healthyResetMs: number;
  /** A process that was never ready and ended this often will not get better by itself: the whole stack is stopped. */
  readonly startAttemptsMax: number;
  /** Between two questions to a process that is not ready yet. */
  readonly probeStartingMs: number;
  /** Between two questions to a process that is ready. */
  readonly probeReadyMs: number;
  readonly probeTimeoutMs: number;
  /** Unanswered questions in a row until a ready process is said not to be. */
  readonly unansweredProbesMax: number;
  /** How long a process may take to end after SIGTERM before it gets SIGKILL. */
  readonly drainMs: number;
  /** How long the last output of an ended process is waited for. */
  readonly outputDrainMs: number;
  /** A log file is moved to `.1`, over the one before, when it would grow beyond this. */
  readonly logBytesMax: number;
  /** Longer lines are cut into several. */
  readonly lineCharactersMax: number;
}

export const supervisorLimits: SupervisorLimits = {
  backoffBaseMs: 500,
  backoffMaxMs: 30_000,
  healthyResetMs: 60_000,
  startAttemptsMax: 5,
  probeStartingMs: 100,
  probeReadyMs: 2_000,
  probeTimeoutMs: 5_000,
  unansweredProbesMax: 3,
  drainMs: 15_000,
  outputDrainMs: 1_000,
  logBytesMax: 16 * 1024 * 1024,
  lineCharactersMax: 16 * 1024,
};

/** How long to wait for a running stack to end, and how often to look. */
export const stopLimits = {
  /** Above the drains of every level of dependency together. */
  stopDeadlineMs: 90_000,
  orphanDrainMs: 15_000,
  killDeadlineMs: 5_000,
  pollMs: 50,
} as const;
