import { describeRow } from '../testing/describe-row.ts';
import { versionBefore } from './version-before.ts';

describeRow(versionBefore);
