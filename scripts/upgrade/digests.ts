import type { GatewayClient } from '../../gateway/client/client.ts';
import type { GoldenDigest } from './golden.ts';

/** The digests of what is served, in an order of their own. */
export async function serviceDigests(client: Pick<GatewayClient, 'indexDigest'>): Promise<GoldenDigest[]> {
  const { indexes } = await client.indexDigest();
  return indexes
    .map(({ kind, corpus, space, live, digest }) => ({ kind, corpus, space, live, digest }))
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

const keyOf = ({ kind, corpus, space }: GoldenDigest) => `${kind} ${corpus} ${space}`;
