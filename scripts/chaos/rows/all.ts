import type { FaultRow } from '../fault-row.ts';
import { burst } from './burst.ts';
import { consumerStalled } from './consumer-stalled.ts';
import { indexKilled } from './index-killed.ts';
import { nodeLost } from './node-lost.ts';
import { simulatedRuntimes } from './simulated-runtimes.ts';

/** Every row of the fault table that is built, in the table's order. */
export const allRows: readonly FaultRow[] = [indexKilled, consumerStalled, burst, simulatedRuntimes, nodeLost];
