import { z } from 'zod';

/**
 * How a model wants its inputs marked. `none`: the text as it is. `nomic`: `search_query: ` before a query and
 * `search_document: ` before a document. Vectors made under two schemes do not compare, so the scheme is part of
 * the space.
 */
export const prefixSchemes = ['none', 'nomic'] as const;
export type PrefixScheme = (typeof prefixSchemes)[number];

/** Model, dimension and prefix scheme: vectors are comparable only within one space. */
export interface Space {
  readonly model: string;
  readonly dimension: number;
  readonly prefixScheme: PrefixScheme;
}

export const dimensionMax = 8192;

const spacePattern = /^([A-Za-z0-9][A-Za-z0-9._:/-]{0,127})@([1-9][0-9]{0,3})(\+nomic)?$/;

/** The written form of a space: `model@dimension`, with `+nomic` behind it where inputs are prefixed. */
export function formatSpace(space: Space): string {
  const suffix = space.prefixScheme === 'none' ? '' : `+${space.prefixScheme}`;
  return `${space.model}@${space.dimension}${suffix}`;
}

/** Reads `model@dimension[+nomic]`; `undefined` where the text is not a space. */
export function parseSpace(text: string): Space | undefined {
  const match = spacePattern.exec(text);
  const [, model, dimension, prefix] = match ?? [];
  if (model === undefined || dimension === undefined || Number(dimension) > dimensionMax) return undefined;
  return { model, dimension: Number(dimension), prefixScheme: prefix === undefined ? 'none' : 'nomic' };
}

/** A space in its written form, such as `all-minilm-l6-v2@384`. */
export const spaceSchema = z.string().refine((text) => parseSpace(text) !== undefined, {
  message: `must be a space written as model@dimension (dimension 1 to ${dimensionMax}), such as "mine@64"`,
});
