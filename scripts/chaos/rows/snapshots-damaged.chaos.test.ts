import { describeRow } from '../testing/describe-row.ts';
import { snapshotsDamaged } from './snapshots-damaged.ts';

describeRow(snapshotsDamaged);
