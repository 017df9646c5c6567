import type { Command } from '../command/define.ts';

type Load = () => Promise<{ readonly default: Command }>;

/** Every command, in the order of the list that `lakehouse --help` shows. Loaded when asked for. */
export const commands: Readonly<Record<string, Load>> = {
  demo: () => import('./demo.ts'),
  up: () => import('./up.ts'),
  status: () => import('./status.ts'),
  stop: () => import('./stop.ts'),
  provision: () => import('./provision.ts'),
  seed: () => import('./seed.ts'),
  ingest: () => import('./ingest.ts'),
  search: () => import('./search.ts'),
  record: () => import('./record.ts'),
  retract: () => import('./retract.ts'),
  rebuild: () => import('./rebuild.ts'),
  reembed: () => import('./reembed.ts'),
  verify: () => import('./verify.ts'),
  backup: () => import('./backup.ts'),
  restore: () => import('./restore.ts'),
  rejected: () => import('./rejected.ts'),
  log: () => import('./log.ts'),
  evidence: () => import('./evidence.ts'),
  distill: () => import('./distill.ts'),
  drift: () => import('./drift.ts'),
  'audit-full': () => import('./audit-full.ts'),
  replay: () => import('./replay.ts'),
  'nats-config': () => import('./nats-config.ts'),
  loadgen: () => import('./loadgen.ts'),
  simulate: () => import('./simulate.ts'),
  chaos: () => import('./chaos.ts'),
};
