import type { RuntimeLog } from '../../../streams/logger.ts';

/** A log that keeps `level: message` of what was said above `debug`. */
export function recordingLog(): RuntimeLog & { readonly lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (_: object, message: string) => void lines.push(`${level}: ${message}`);
  return { lines, debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') };
}
