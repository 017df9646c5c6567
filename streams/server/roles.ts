import { type StreamName, streamNames } from '../../schemas/catalog.ts';

/**
 * Who may say and read what on the bus, as data. One user a role: each process connects as its own role and can do no
 * more than its work needs. The server's deny flags keep messages from being deleted, but not a stream; these
 * permissions do.
 */

export const roleNames = [
  'operator',
  'gateway',
  'ingest',
  'embed',
  'index',
  'playbook',
  'observer',
  'producer',
] as const;
export type RoleName = (typeof roleNames)[number];

export interface Role {
  /** Subjects it appends to. */
  readonly publishes: readonly string[];
  /** Streams it reads with consumers of its own; getting single messages is included. */
  readonly reads: readonly StreamName[];
  /** Streams it only gets single messages from. */
  readonly gets: readonly StreamName[];
  /** Streams whose consumers it looks at, without reading anything of them. */
  readonly watches: readonly StreamName[];
  /** Service subjects that it calls. */
  readonly requests: readonly string[];
  /** Service subjects that it answers. */
  readonly serves: readonly string[];
  /** Whether it creates and updates streams. No role deletes or purges one. */
  readonly provisions: boolean;
  /** Whether it takes whole streams out, and puts them into a server that has not got them. */
  readonly backsUp: boolean;
  /** Whether it lives in an account of its own, out of which only its `publishes` lead (see `permissions.ts`). */
  readonly isolated: boolean;
}

const worker = {
  reads: [],
  gets: [],
  watches: [],
  requests: [],
  serves: [],
  provisions: false,
  backsUp: false,
  isolated: false,
} as const;
const reports = ['rejected.>', 'observations.*'] as const;

export const roles: Readonly<Record<RoleName, Role>> = {
  /** The command line, provisioning and rebuilding included. */
  operator: {
    ...worker,
    publishes: [
      'ingest.*',
      'corpora.*',
      'indexes.*',
      'evidence.*',
      'audit.baselines',
      'replay.runs',
      'observations.*',
      'rejected.>',
      'retries.>',
    ],
    reads: streamNames,
    requests: ['svc.>', '$SRV.>'],
    provisions: true,
    backsUp: true,
  },
  gateway: { ...worker, publishes: ['ingest.*', 'observations.*'], requests: ['svc.>'], watches: streamNames },
  ingest: { ...worker, publishes: ['documents.>', ...reports], reads: ['INGEST', 'REJECTED'], gets: ['DOCUMENTS'] },
  embed: {
    ...worker,
    publishes: ['vectors.>', ...reports],
    reads: ['DOCUMENTS', 'REJECTED', 'INDEXES'],
    gets: ['VECTORS'],
    serves: ['svc.embed.*'],
  },
  index: {
    ...worker,
    // What the vectors API is told goes where producers say it.
    publishes: ['searches.*', 'ingest.*', 'corpora.*', ...reports],
    reads: ['VECTORS', 'PLAYBOOKS', 'INDEXES', 'REJECTED', 'SEARCHES'],
    gets: ['INGEST', 'DOCUMENTS'],
    requests: ['svc.embed.*'],
    serves: ['svc.matrix.*', 'svc.index.*', 'svc.vectors.*'],
  },
  playbook: {
    ...worker,
    publishes: ['playbooks.>', ...reports],
    reads: ['PLAYBOOKS', 'INDEXES', 'REJECTED'],
    requests: ['svc.embed.*'],
    serves: ['svc.playbooks.*'],
  },
  observer: {
    ...worker,
    publishes: ['evidence.*', ...reports],
    reads: ['OBSERVATIONS', 'AUDIT_BASELINES', 'REPLAY_RUNS', 'EVIDENCE', 'REJECTED'],
    serves: ['svc.observer.*', 'svc.audit.*', 'svc.replay.*'],
  },
  /** Whoever puts documents in; on loopback also without credentials. */
  producer: { ...worker, publishes: ['ingest.*'], isolated: true },
};

/**
 * The inbox prefix that a role's connection must use (`inboxPrefix` of the client): replies to one role cannot be read
 * by another. Producers keep the usual prefix, as tools such as `nats pub` and `nats req` know no other.
 */
export function inboxPrefix(role: RoleName): string {
  return role === 'producer' ? '_INBOX' : `_INBOX_${role}`;
}
