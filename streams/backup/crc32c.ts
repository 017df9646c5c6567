/** CRC-32C (Castagnoli), as S2 and snappy frames have it, masked so that a checksum of a checksum is no trouble. */
const table = new Uint32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0x82f63b78 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

export function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) crc = (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  const value = ~crc >>> 0;
  return (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0;
}
