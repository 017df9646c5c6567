import { describeRow } from '../testing/describe-row.ts';
import { simulatedRuntimes } from './simulated-runtimes.ts';

describeRow(simulatedRuntimes);
