import { describeRow } from '../testing/describe-row.ts';
import { interleavedChoices } from './interleaved-choices.ts';

describeRow(interleavedChoices);
