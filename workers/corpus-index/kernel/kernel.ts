import { kernelBase64 } from './kernel-bytes.ts';

/** Scores `count` vectors that lie `stride` bytes apart against a query; writes one float32 each. Addresses in bytes. */
export type ScanFunction = (query: number, vectors: number, stride: number, count: number, output: number) => void;

export interface Kernel {
  /** Dot products. */
  readonly dots: ScanFunction;
  /** Squared euclidean distances. */
  readonly squares: ScanFunction;
}

const module = new WebAssembly.Module(Buffer.from(kernelBase64, 'base64'));

/** The scan kernel over one memory; growing the memory does not disturb it. */
export function createKernel(memory: WebAssembly.Memory): Kernel {
  const { exports } = new WebAssembly.Instance(module, { arena: { memory } });
  // What the module exports is decided by kernel.wat, and a test holds the two together.
  return { dots: exports.dots as ScanFunction, squares: exports.squares as ScanFunction };
}
