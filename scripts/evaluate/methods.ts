import type { GatewayClient, SearchInput } from '../../gateway/client/client.ts';
import type { SearchReply } from '../../schemas/requests/matrix.ts';
import { type FusionParameters, fuse } from '../../workers/matrix/fuse.ts';

/** Ways to find, as the gateway offers them; and reciprocal rank fusion of the first two, for comparison. */
export const methods = ['vector', 'lexical', 'hybrid', 'ranks'] as const;
export type Method = (typeof methods)[number];

/** The ids that each method ranks first, best first. */
export type Rankings = Readonly<Record<Method, readonly string[]>>;

/** Candidates of each of the two searches that are fused by rank: as many as the index worker takes by default. */
const fusedDepth = 100;
/** As in the paper, both searches counting the same. */
const rankFusion: FusionParameters = { method: 'ranks', vectorWeight: 1, lexicalWeight: 1, rankConstant: 60 };

/** Asks one query by every method. */
export async function askByAll(
  client: GatewayClient,
  request: Pick<SearchInput, 'query_text' | 'corpora'>,
  depth: number,
): Promise<Rankings> {
  const ask = (retrieval: 'vector' | 'lexical' | 'hybrid', k: number) => client.search({ ...request, retrieval, k });
  const [vector, lexical, hybrid] = await Promise.all([
    ask('vector', fusedDepth),
    ask('lexical', fusedDepth),
    ask('hybrid', depth),
  ]);
  return {
    vector: idsOf(vector).slice(0, depth),
    lexical: idsOf(lexical).slice(0, depth),
    hybrid: idsOf(hybrid),
    ranks: fuseByRank(vector, lexical).slice(0, depth),
  };
}

function idsOf({ results }: SearchReply): string[] {
  return results.map(({ id }) => id);
}

function fuseByRank(vector: SearchReply, lexical: SearchReply): string[] {
  const distances = new Map(vector.results.map(({ id, distance }) => [id, distance]));
  const scores = new Map(lexical.results.map(({ id, score }) => [id, score ?? 0]));
  const candidates = [...new Set([...distances.keys(), ...scores.keys()])].map((id) => ({
    id,
    distance: distances.get(id) ?? Number.POSITIVE_INFINITY,
    lexicalScore: scores.get(id) ?? 0,
  }));
  const found = ({ id }: { id: string }) => ({ vector: distances.has(id), lexical: scores.has(id) });
  return fuse(candidates, found, rankFusion)
    .sort((one, other) => one.order - other.order || (one.id < other.id ? -1 : 1))
    .map(({ id }) => id);
}
