/** `1,234,567` */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `3.4 MiB`: binary units, one digit after the point below ten. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < byteUnits.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${byteUnits[at]}`;
}

/** `+12/s`, `-0.5/s`. */
export function formatRate(rate: number): string {
  const size = Math.abs(rate);
  return `${rate < 0 ? '-' : '+'}${size < 10 ? size.toFixed(1) : formatCount(size)}/s`;
}
