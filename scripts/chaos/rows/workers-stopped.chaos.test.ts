import { describeRow } from '../testing/describe-row.ts';
import { workersStopped } from './workers-stopped.ts';

describeRow(workersStopped);
