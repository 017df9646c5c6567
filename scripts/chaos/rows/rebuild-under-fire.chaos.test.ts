import { describeRow } from '../testing/describe-row.ts';
import { rebuildUnderFire } from './rebuild-under-fire.ts';

describeRow(rebuildUnderFire);
