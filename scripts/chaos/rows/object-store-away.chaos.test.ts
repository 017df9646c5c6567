import { describeRow } from '../testing/describe-row.ts';
import { objectStoreAway } from './object-store-away.ts';

describeRow(objectStoreAway);
