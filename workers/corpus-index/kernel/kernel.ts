import { kernelBase64 } from './kernel-bytes.ts';

/** Scores `count` vectors that lie `stride` bytes apart against a query; writes one float32 each. Addresses in bytes. */
export type ScanFunction = (query: number, vectors: number, stride: number, count: number, output: number) => void;

/**
 * Scores `count` codes of 8 bits a value, in groups of four, against a query of 16 bits a value:
 * `offsets[i] - scale * factors[i] * dot product`, one float32 each, and in `least` the least of each group. The count is
 * a multiple of 4, the width (values of a code) of 16. Addresses in bytes. Eight values of the first code of a group lie
 * beside eight of the second, the third and the fourth, then come the next eight of the first.
 */
export type CodesFunction = (
  query: number,
  codes: number,
  width: number,
  count: number,
  factors: number,
  offsets: number,
  scale: number,
  output: number,
  least: number,
) => void;

export interface Kernel {
  /** Dot products. */
  readonly dots: ScanFunction;
  /** Squared euclidean distances. */
  readonly squares: ScanFunction;
  readonly codes: CodesFunction;
  /** The dot product of a query of float64 and a vector of float32, in double; the stride is that of the vector. */
  readonly exactDot: (query: number, vector: number, stride: number) => number;
}

const module = new WebAssembly.Module(Buffer.from(kernelBase64, 'base64'));

/** The scan kernel over one memory; growing the memory does not disturb it. */
export function createKernel(memory: WebAssembly.Memory): Kernel {
  const { exports } = new WebAssembly.Instance(module, { arena: { memory } });
  // What the module exports is decided by kernel.wat, and a test holds the two together.
  return {
    dots: exports.dots as ScanFunction,
    squares: exports.squares as ScanFunction,
    codes: exports.codes as CodesFunction,
    exactDot: exports.exact_dot as Kernel['exactDot'],
  };
}
