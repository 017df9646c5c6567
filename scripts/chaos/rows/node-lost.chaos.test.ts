import { describeRow } from '../testing/describe-row.ts';
import { nodeLost } from './node-lost.ts';

describeRow(nodeLost);
