import { describeRow } from '../testing/describe-row.ts';
import { poison } from './poison.ts';

describeRow(poison);
