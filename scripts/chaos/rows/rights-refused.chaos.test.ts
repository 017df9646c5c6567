import { describeRow } from '../testing/describe-row.ts';
import { rightsRefused } from './rights-refused.ts';

describeRow(rightsRefused);
