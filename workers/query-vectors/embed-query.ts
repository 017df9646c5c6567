import type { Problem } from '../../schemas/problems.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { type EmbedRequest, embedInternalReplySchema } from '../../schemas/requests/embed.ts';
import { decodeVector } from '../../schemas/vector.ts';
import type { ServiceClient } from '../../streams/service-client.ts';
import { type Cause, causeHeaders } from '../../streams/trace-headers.ts';

export interface EmbeddedQueries {
  /** The space of the vectors, in its written form. */
  readonly space: string;
  readonly vectors: readonly Float32Array[];
  /** Of which texts the model saw only the beginning, in the same order. */
  readonly truncated: readonly boolean[];
}

/** Asks the embed worker for the vectors of queries. */
export type EmbedQueries = (
  texts: readonly string[],
  options: Cause & {
    readonly deadlineMs: number;
    /** The space that the vectors have to be of; left out: the configured one. */
    readonly space?: string;
  },
) => Promise<EmbeddedQueries>;

/**
 * Makes the port to the embed worker.
 * @throws ProblemError (from what it returns) as the embed worker told it: `space_mismatch` when no embedder makes the
 * space, 502 when the embedder failed, 503 when nobody
 * embeds, 504 when it took too long
 */
export function createEmbedQueries(client: ServiceClient): EmbedQueries {
  return async (texts, { deadlineMs, space: wanted, ...cause }) => {
    const request: EmbedRequest = {
      texts: [...texts],
      kind: 'query',
      ...(wanted === undefined ? {} : { space: wanted }),
    };
    const headers = causeHeaders(cause);
    const reply = await client.request('svc.embed.vectors', Buffer.from(JSON.stringify(request)), {
      deadlineMs,
      headers,
    });
    const body: unknown = JSON.parse(Buffer.from(reply.body).toString('utf8'));
    if (reply.status !== 200) {
      const told = body as Problem;
      throw new ProblemError(told.code, `the query could not be embedded: ${told.detail}`);
    }
    const { space, vectors, truncated } = embedInternalReplySchema.parse(body);
    const decoded = vectors.map(decodeVector);
    if (decoded.length !== texts.length) throw new Error(`${decoded.length} vectors came for ${texts.length} texts`);
    return { space, vectors: decoded.filter((vector) => vector !== undefined), truncated };
  };
}
