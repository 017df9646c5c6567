import { describeRow } from '../testing/describe-row.ts';
import { diskFull } from './disk-full.ts';

describeRow(diskFull);
