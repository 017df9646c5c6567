import { describeRow } from '../testing/describe-row.ts';
import { partitionTwice } from './partition-twice.ts';

describeRow(partitionTwice);
