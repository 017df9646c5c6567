import { describeRow } from '../testing/describe-row.ts';
import { serverAway } from './server-away.ts';

describeRow(serverAway);
