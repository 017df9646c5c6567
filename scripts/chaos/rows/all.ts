import type { FaultRow } from '../fault-row.ts';
import { burst } from './burst.ts';
import { consumerStalled } from './consumer-stalled.ts';
import { indexKilled } from './index-killed.ts';
import { nodeLost } from './node-lost.ts';
import { partitionTwice } from './partition-twice.ts';
import { rebuildUnderFire } from './rebuild-under-fire.ts';
import { serverAway } from './server-away.ts';
import { serverKilled } from './server-killed.ts';
import { simulatedRuntimes } from './simulated-runtimes.ts';
import { workersStopped } from './workers-stopped.ts';

/** Every row of the fault table that is built, in the table's order. */
export const allRows: readonly FaultRow[] = [
  indexKilled,
  serverKilled,
  consumerStalled,
  serverAway,
  partitionTwice,
  burst,
  rebuildUnderFire,
  simulatedRuntimes,
  workersStopped,
  nodeLost,
];
