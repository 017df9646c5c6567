import { z } from 'zod';

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());

/** One tensor of a safetensors file; `bytes` is a view of the file, little-endian and row-major. */
export interface StoredTensor {
  readonly dataType: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/**
 * Reads the table of a safetensors file: a little-endian uint64 header length, a JSON header, then the data.
 * Throws where the header is not JSON of that form or an offset lies outside of the file.
 */
export function parseSafetensors(file: Uint8Array): Map<string, StoredTensor> {
  const headerLength = Number(new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true));
  const dataStart = 8 + headerLength;
  const header = headerSchema.parse(JSON.parse(new TextDecoder().decode(file.subarray(8, dataStart))));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = tensorSchema.parse(entry);
    const [start, end] = offsets;
    if (end < start || dataStart + end > file.byteLength)
      throw new RangeError(`tensor ${name} lies outside of the file`);
    tensors.set(name, { dataType: dtype, shape, bytes: file.subarray(dataStart + start, dataStart + end) });
  }
  return tensors;
}
