import { type Position, parsePosition, positionHeader } from '../../../schemas/position.ts';
import { searchReplySchema } from '../../../schemas/requests/matrix.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import type { CorpusIndex } from '../../../workers/corpus-index/corpus-index.ts';
import type { Check } from '../fault-row.ts';
import type { ChaosStack } from '../stack.ts';
import { check } from './check.ts';
import { type CleanFold, createCleanFold, digestKey } from './clean-fold.ts';

/** What a reader saw at one moment: digests, or the answer to a search. */
export type Sight =
  | { readonly position: Position; readonly digests: ReadonlyMap<string, string> }
  | {
      readonly position: Position;
      readonly query: Float32Array;
      readonly corpus: string;
      readonly hits: readonly { readonly id: string; readonly distance: number }[];
    };

const searchK = 10;
const distanceTolerance = 1e-4;

/** Asks an index worker for its digests; undefined where none answered. */
export async function seeDigests({ client }: Pick<ChaosStack, 'client'>): Promise<Sight | undefined> {
  const reply = await client.indexDigest().catch(() => undefined);
  if (reply === undefined) return undefined;
  return { position: reply.position, digests: new Map(reply.indexes.map((one) => [digestKey(one), one.digest])) };
}

/** Searches a corpus by a vector; undefined where no answer came. */
export async function seeSearch(url: string, corpus: string, query: Float32Array): Promise<Sight | undefined> {
  const response = await fetch(`${url}/v1/matrix/search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query_vector: [...query], corpora: [corpus], k: searchK }),
  }).catch(() => undefined);
  if (response?.ok !== true) {
    await response?.body?.cancel();
    return undefined;
  }
  const position = parsePosition(response.headers.get(positionHeader) ?? '');
  const body = searchReplySchema.safeParse(await response.json().catch(() => undefined));
  if (position === undefined || !body.success) return undefined;
  return { position, corpus, query, hits: body.data.results };
}

/**
 * P: every sight is the fold of the prefix of VECTORS and of PLAYBOOKS that its position names. Digests have to be equal;
 * a search must give documents of that prefix only, each at the distance that it has there. One more event may be in what
 * was searched already: it is folded first and counted then.
 */
export async function checkPrefix(connection: LogConnection, sights: readonly Sight[]): Promise<Check> {
  const sorted = [...sights].sort((one, other) => at(one.position) - at(other.position));
  let fold = createCleanFold(connection);
  const wrong: string[] = [];
  for (const sight of sorted) {
    if (!isBehind(fold.position(), sight.position)) fold = createCleanFold(connection);
    await fold.foldTo(sight.position);
    let fault = await faultOf(sight, fold);
    if (fault !== undefined && 'query' in sight) {
      await fold.foldTo({ ...sight.position, VECTORS: (sight.position.VECTORS ?? 0) + 1 });
      fault = await faultOf(sight, fold);
    }
    if (fault !== undefined) wrong.push(`at ${at(sight.position)}: ${fault}`);
  }
  const seen =
    wrong[0] ?? `${sights.length} sights, at ${new Set(sights.map(({ position }) => at(position))).size} positions`;
  return check('P: what a reader sees is the fold of a prefix', sights.length > 0 && wrong.length === 0, seen);
}

const at = (position: Position) => position.VECTORS ?? 0;

function isBehind(folded: Position, wanted: Position): boolean {
  return ['VECTORS', 'PLAYBOOKS'].every((stream) => (folded[stream] ?? 0) <= (wanted[stream] ?? 0));
}

async function faultOf(sight: Sight, fold: CleanFold): Promise<string | undefined> {
  if ('digests' in sight) {
    const clean = await fold.digests();
    const names = new Set([...clean.keys(), ...sight.digests.keys()]);
    return [...names].find((name) => clean.get(name) !== sight.digests.get(name));
  }
  const indexes = fold.catalogue.ofCorpus('documents', sight.corpus, null).map(({ index }) => index);
  for (const { id, distance } of sight.hits) {
    const own = indexes.map((index) => distanceOf(index, sight.query, id));
    if (!own.some((one) => one !== undefined && Math.abs(one - distance) <= distanceTolerance))
      return `${id} at ${distance}, which there is at ${own.join(' or ')}`;
  }
  return undefined;
}

/** Cosine distance of a living document, or undefined. */
function distanceOf(index: CorpusIndex, query: Float32Array, id: string): number | undefined {
  const vector = index.vector(id);
  if (vector === undefined) return undefined;
  let [dot, one, other] = [0, 0, 0];
  for (const [place, value] of query.entries()) {
    const beside = vector[place] ?? 0;
    dot += value * beside;
    one += value * value;
    other += beside * beside;
  }
  return 1 - dot / Math.sqrt(one * other);
}
