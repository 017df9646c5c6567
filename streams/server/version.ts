/** A nats-server release. */
export interface ServerVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The oldest release with all that is used: direct get and named pull consumers came with 2.9. */
export const oldestServerVersion: ServerVersion = { major: 2, minor: 9, patch: 0 };

/** `sync_interval: always` is refused as an unknown field before this release. */
export const syncAlwaysSince: ServerVersion = { major: 2, minor: 10, patch: 0 };

/**
 * Before this release a stream that refuses when it is full takes a message whose bytes fit, and throws its oldest one away
 * where what it takes to store it does not (seen with 2.9.10, not with 2.10.27 and 2.15.1).
 */
export const refusesWhenFullSince: ServerVersion = { major: 2, minor: 10, patch: 0 };

/**
 * What several nodes are to be of, at least: the fault campaign runs with 2.15.1. Of 2.9.10, nodes that hung and came back
 * had all lost a message of DOCUMENTS that was acknowledged.
 */
export const clusterSince: ServerVersion = { major: 2, minor: 15, patch: 0 };

const versionPattern = /(?:^|[^\d.])(\d{1,4})\.(\d{1,4})\.(\d{1,6})(?=$|[^\d.])/;

/** Reads the answer of `nats-server --version` (`nats-server: v2.9.10`); `undefined` where no version is in it. */
export function parseServerVersion(text: string): ServerVersion | undefined {
  const [, major, minor, patch] = versionPattern.exec(text) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** Whether `version` is `floor` or newer. */
export function isAtLeast(version: ServerVersion, floor: ServerVersion): boolean {
  if (version.major !== floor.major) return version.major > floor.major;
  if (version.minor !== floor.minor) return version.minor > floor.minor;
  return version.patch >= floor.patch;
}

export function formatServerVersion(version: ServerVersion): string {
  return `${version.major}.${version.minor}.${version.patch}`;
}
