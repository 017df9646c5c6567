import { downgradeRequestSchema } from '../../schemas/requests/downgrade.ts';
import { parseRequestBytes } from '../../schemas/requests/parse.ts';
import { relevanceRequestSchema } from '../../schemas/requests/relevance.ts';
import type { Clock } from '../../streams/clock.ts';
import type { ServiceHandler } from '../../streams/service.ts';
import { type DowngradeDefaults, decideDowngrade } from '../downgrade/downgrade.ts';
import { filterChunks } from '../relevance/filter-chunks.ts';

/** Field names that callers are known to write by mistake. */
const relevanceSlips = { file: 'focus', documents: 'chunks', min_score: 'threshold' } as const;

/** `svc.matrix.relevance` and `svc.matrix.downgrade`: decisions about what is asked, out of the request alone. */
export function gateEndpoints(defaults: DowngradeDefaults, clock: Clock): Record<string, ServiceHandler> {
  return {
    'svc.matrix.relevance': async ({ body }) => {
      const request = parseRequestBytes(relevanceRequestSchema, body, relevanceSlips);
      return { body: JSON.stringify(await filterChunks(request, clock)) };
    },
    'svc.matrix.downgrade': ({ body }) => {
      const request = parseRequestBytes(downgradeRequestSchema, body);
      return { body: JSON.stringify(decideDowngrade(request, defaults)) };
    },
  };
}
