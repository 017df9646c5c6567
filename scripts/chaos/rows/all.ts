import type { FaultRow } from '../fault-row.ts';
import { burst } from './burst.ts';
import { clocksOff } from './clocks-off.ts';
import { consumerStalled } from './consumer-stalled.ts';
import { deliveredOften } from './delivered-often.ts';
import { diskFull } from './disk-full.ts';
import { embedderFails } from './embedder-fails.ts';
import { hostileClients, slowClients } from './hostile-clients.ts';
import { indexKilled } from './index-killed.ts';
import { interleavedChoices } from './interleaved-choices.ts';
import { killedAtPoints } from './killed-at-points.ts';
import { nodeLost } from './node-lost.ts';
import { objectStoreAway } from './object-store-away.ts';
import { outOfOrder } from './out-of-order.ts';
import { partitionTwice } from './partition-twice.ts';
import { poison } from './poison.ts';
import { rebuildUnderFire } from './rebuild-under-fire.ts';
import { rightsRefused } from './rights-refused.ts';
import { serverAway } from './server-away.ts';
import { serverKilled } from './server-killed.ts';
import { simulatedRuntimes } from './simulated-runtimes.ts';
import { snapshotsDamaged } from './snapshots-damaged.ts';
import { versionBefore } from './version-before.ts';
import { workersStopped } from './workers-stopped.ts';

/** Every row of the fault table, in its order. */
export const allRows: readonly FaultRow[] = [
  indexKilled,
  killedAtPoints,
  serverKilled,
  consumerStalled,
  serverAway,
  deliveredOften,
  outOfOrder,
  poison,
  embedderFails,
  objectStoreAway,
  snapshotsDamaged,
  diskFull,
  clocksOff,
  partitionTwice,
  burst,
  rebuildUnderFire,
  hostileClients,
  interleavedChoices,
  rightsRefused,
  versionBefore,
  simulatedRuntimes,
  workersStopped,
  nodeLost,
  slowClients,
];
