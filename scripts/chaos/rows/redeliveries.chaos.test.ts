import { describeRow } from '../testing/describe-row.ts';
import { deliveredOften } from './delivered-often.ts';
import { outOfOrder } from './out-of-order.ts';

describeRow(deliveredOften);
describeRow(outOfOrder);
