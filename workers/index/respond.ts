import type { Position } from '../../schemas/position.ts';
import type { RetrievalMode } from '../../schemas/requests/explain.ts';
import type { SearchRequest } from '../../schemas/requests/matrix.ts';
import type { ServiceRequest, ServiceResponse } from '../../streams/service.ts';
import type { IndexEntry } from '../corpus-index/catalogue.ts';
import { resultJson, resultJsonWith } from '../matrix/reply.ts';
import type { RankedResult, RankInput, Ranking } from '../matrix/types.ts';
import { explainResult, explainSearch } from './explain.ts';

export interface Answer {
  readonly wanted: SearchRequest;
  /** What was done, which may differ from what is configured. */
  readonly mode: RetrievalMode;
  readonly vector: { readonly truncated: boolean } | undefined;
  readonly asked: { readonly space: string; readonly entries: readonly IndexEntry[] };
  readonly input: RankInput;
  readonly ranking: Ranking;
  readonly request: Pick<ServiceRequest, 'traceId'>;
}

export interface RespondPorts {
  readonly position: () => Position;
  readonly onAnswered?: (
    request: SearchRequest,
    ranking: Ranking,
    position: Position,
    traceId: string | undefined,
  ) => void;
}

/** The reply of a search. Metadata goes into it as the text that it is kept as. */
export function respond(answer: Answer, ports: RespondPorts): ServiceResponse {
  const { wanted, ranking, request } = answer;
  const position = ports.position();
  ports.onAnswered?.(wanted, ranking, position, request.traceId);
  const { results, perCorpusCounts, metadataFilterDropped, boosted, injected } = ranking;
  let hits = '';
  for (const result of results) hits += `${hits === '' ? '' : ','}${hitJson(result, answer)}`;
  const body =
    `{"results":[${hits}]` +
    `,"per_corpus_counts":${JSON.stringify(perCorpusCounts)}` +
    `,"playbook_boosted":${boosted},"playbook_injected":${injected},"boosted":${boosted},"injected":${injected}` +
    `,"metadata_filter_dropped":${metadataFilterDropped}${tailJson(answer)}}`;
  return { body, position };
}

/** What only some answers hold. */
function tailJson({ wanted, vector, mode, asked, input, ranking }: Answer): string {
  const truncated = vector?.truncated === true ? ',"query_truncated":true' : '';
  const retrieval = mode === 'vector' ? '' : `,"retrieval":"${mode}"`;
  if (!wanted.explain) return truncated + retrieval;
  const explanation = explainSearch({ input, ranking, retrieval: mode, space: asked.space });
  return `${truncated}${retrieval},"explain":${JSON.stringify(explanation)}`;
}

function hitJson(result: RankedResult, { wanted, mode, asked, input }: Answer): string {
  const entry = asked.entries.find(({ corpus }) => corpus === result.corpus);
  const shown = entry?.index.isTruncated(result.id) === true ? { ...result, truncated: true } : result;
  if (mode === 'vector' && !wanted.explain) return resultJson(shown);
  const explanation = wanted.explain ? JSON.stringify(explainResult(result, input)) : undefined;
  const score = mode === 'vector' ? undefined : 1 - (result.order ?? result.distance);
  return resultJsonWith(shown, { score, explanation });
}
