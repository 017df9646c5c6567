import { describeRow } from '../testing/describe-row.ts';
import { serverKilled } from './server-killed.ts';

describeRow(serverKilled);
