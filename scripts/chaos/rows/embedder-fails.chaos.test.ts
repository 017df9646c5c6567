import { describeRow } from '../testing/describe-row.ts';
import { embedderFails } from './embedder-fails.ts';

describeRow(embedderFails);
