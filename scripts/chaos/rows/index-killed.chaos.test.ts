import { describeRow } from '../testing/describe-row.ts';
import { indexKilled } from './index-killed.ts';

describeRow(indexKilled);
