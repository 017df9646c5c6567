/**
 * A position: how far a reader has to have read, as a map of stream to sequence. Written `PLAYBOOKS=12,VECTORS=4031`
 * in the header `X-Lakehouse-Position`, over HTTP and over NATS.
 */
export type Position = Readonly<Record<string, number>>;

export const positionHeader = 'X-Lakehouse-Position';
export const positionStreams = ['PLAYBOOKS', 'VECTORS'] as const;

const entryPattern = /^([A-Z_]{1,32})=([0-9]{1,16})$/;
const entriesMax = 8;

/** Reads the header; `undefined` where it is malformed. An empty text is the empty position. */
export function parsePosition(text: string): Position | undefined {
  const position: Record<string, number> = {};
  if (text.trim() === '') return position;
  const entries = text.split(',');
  if (entries.length > entriesMax) return undefined;
  for (const entry of entries) {
    const [, stream, sequence] = entryPattern.exec(entry.trim()) ?? [];
    if (stream === undefined || !Number.isSafeInteger(Number(sequence))) return undefined;
    position[stream] = Math.max(position[stream] ?? 0, Number(sequence));
  }
  return position;
}

export function formatPosition(position: Position): string {
  return Object.keys(position)
    .sort()
    .map((stream) => `${stream}=${position[stream]}`)
    .join(',');
}

/** The position that satisfies both: per stream the later sequence. */
export function joinPositions(one: Position, other: Position): Position {
  const joined: Record<string, number> = { ...one };
  for (const [stream, sequence] of Object.entries(other)) joined[stream] = Math.max(joined[stream] ?? 0, sequence);
  return joined;
}
