import { describeRow } from '../testing/describe-row.ts';
import { burst } from './burst.ts';

describeRow(burst);
