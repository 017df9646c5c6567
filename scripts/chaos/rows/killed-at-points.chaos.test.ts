import { describeRow } from '../testing/describe-row.ts';
import { killedAtPoints } from './killed-at-points.ts';

describeRow(killedAtPoints);
