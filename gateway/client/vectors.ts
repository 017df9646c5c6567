import type { z } from 'zod';
import {
  vectorsAddedSchema,
  type vectorsAddSchema,
  type vectorsCreateSchema,
  vectorsDeletedSchema,
  vectorsFoundSchema,
  vectorsInfoSchema,
  vectorsListSchema,
  vectorsMergedSchema,
  type vectorsMergeSchema,
  type vectorsSearchSchema,
} from '../../schemas/requests/vectors.ts';
import type { CallOptions, Exchange } from './exchange.ts';
import { type PageInput, pathOf, queryOf } from './paths.ts';

type Answer<Schema extends z.ZodType> = Promise<z.output<Schema>>;

/** Indexes of vectors that the caller brings. What changes one answers when the change can be found. */
export interface VectorsClient {
  create(index: z.input<typeof vectorsCreateSchema>, options?: CallOptions): Answer<typeof vectorsInfoSchema>;
  list(options?: PageInput): Answer<typeof vectorsListSchema>;
  info(name: string, options?: CallOptions): Answer<typeof vectorsInfoSchema>;
  delete(name: string, options?: CallOptions): Answer<typeof vectorsDeletedSchema>;
  add(name: string, batch: z.input<typeof vectorsAddSchema>, options?: CallOptions): Answer<typeof vectorsAddedSchema>;
  search(
    name: string,
    query: z.input<typeof vectorsSearchSchema>,
    options?: CallOptions,
  ): Answer<typeof vectorsFoundSchema>;
  merge(
    source: string,
    into: z.input<typeof vectorsMergeSchema>,
    options?: CallOptions,
  ): Answer<typeof vectorsMergedSchema>;
}

export function createVectorsClient({ call }: Pick<Exchange, 'call'>): VectorsClient {
  const get = { method: 'GET' } as const;
  const post = { method: 'POST' } as const;
  const at = (...parts: readonly string[]) => pathOf('vectors', 'index', ...parts);
  return {
    create: (body, options) => call({ ...options, ...post, path: at(), body, reply: vectorsInfoSchema }),
    list: ({ cursor, limit, ...options } = {}) =>
      call({ ...options, ...get, path: `${at()}${queryOf({ cursor, limit })}`, reply: vectorsListSchema }),
    info: (name, options) => call({ ...options, ...get, path: at(name), reply: vectorsInfoSchema }),
    delete: (name, options) => call({ ...options, method: 'DELETE', path: at(name), reply: vectorsDeletedSchema }),
    add: (name, body, options) => call({ ...options, ...post, path: at(name, 'add'), body, reply: vectorsAddedSchema }),
    search: (name, body, options) =>
      call({ ...options, ...post, path: at(name, 'search'), body, reply: vectorsFoundSchema }),
    merge: (name, body, options) =>
      call({ ...options, ...post, path: at(name, 'merge'), body, reply: vectorsMergedSchema }),
  };
}
