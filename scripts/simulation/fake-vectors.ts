import { createHash } from 'node:crypto';
import { parseSpace } from '../../schemas/space.ts';

const known = new Map<string, Float32Array>();

/** The vector that a made-up model gives a text: the same one always, of norm 1. */
export function fakeVector(space: string, text: string): Float32Array {
  const key = `${space} ${text}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const dimension = parseSpace(space)?.dimension ?? 0;
  const bytes = createHash('sha256').update(key, 'utf8').digest();
  const values = Float32Array.from({ length: dimension }, (_, place) => (bytes[place] ?? 0) - 127.5);
  const norm = Math.hypot(...values);
  const vector = values.map((value) => value / norm);
  known.set(key, vector);
  return vector;
}
