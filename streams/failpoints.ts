/**
 * Places where a test lets a process kill itself, as `kill -9` would: `LAKEHOUSE_FAILPOINT=name`, or `name:3` for the third
 * time that it comes by. Without the variable there is nothing here but an empty function.
 */
export const failpoints = [
  /** An event is in the state, and the position that goes with the state does not say so yet. */
  'folded',
  /** hnswlib is writing the file of a graph. */
  'graph-writing',
  /** A body is written and safe under a name that nobody reads. */
  'object-written',
  /** It has its name; the directory may not be on the disk yet. */
  'object-renamed',
  /** All bodies of a snapshot are there, and no manifest. */
  'bodies-written',
  /** A snapshot is whole; those before it are still there. */
  'manifest-written',
  /** A snapshot that is let go has lost its manifest, and not its bodies. */
  'pruning',
  /** A reactor knows what to append. */
  'decided',
  /** It is appended, and the message is not acknowledged. */
  'appended',
  /** A message is set aside, and comes again. */
  'set-aside',
] as const;
export type Failpoint = (typeof failpoints)[number];

const asked = process.env.LAKEHOUSE_FAILPOINT;

export const failpoint: (name: Failpoint) => void = asked === undefined ? () => {} : armed(asked);

/** @throws Error for a name that there is not: a test that waits for it would wait for ever */
export function armed(
  text: string,
  kill: () => void = () => process.kill(process.pid, 'SIGKILL'),
): (name: Failpoint) => void {
  const [wanted, hit = '1'] = text.split(':');
  if (!failpoints.some((name) => name === wanted) || !(Number(hit) >= 1))
    throw new Error(
      `LAKEHOUSE_FAILPOINT is "${text}": it is one of ${failpoints.join(', ')}, or one with ":" and a number`,
    );
  let left = Number(hit);
  return (name) => {
    if (name === wanted && --left === 0) kill();
  };
}
