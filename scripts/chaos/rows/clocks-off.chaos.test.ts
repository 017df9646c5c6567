import { describeRow } from '../testing/describe-row.ts';
import { clocksOff } from './clocks-off.ts';

describeRow(clocksOff);
