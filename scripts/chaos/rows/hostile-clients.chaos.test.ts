import { describeRow } from '../testing/describe-row.ts';
import { hostileClients, slowClients } from './hostile-clients.ts';

describeRow(hostileClients);
describeRow(slowClients);
