import { describeRow } from '../testing/describe-row.ts';
import { consumerStalled } from './consumer-stalled.ts';

describeRow(consumerStalled);
