import { type LoadOptions, runLoad } from '../../loadgen/run.ts';
import { serveParent } from '../children.ts';

/** A load run as it travels between processes. */
export type LoadTask = Pick<LoadOptions, 'url' | 'concurrency' | 'durationMs' | 'requests' | 'rate'> & {
  readonly bodies: readonly string[];
};

// A process of its own, and one for all runs: the generator shares no event loop with what it measures, and is warm.
serveParent(null, (message) => {
  const { bodies, ...task } = message as LoadTask;
  return runLoad({ ...task, bodies: bodies.map((body) => Buffer.from(body, 'utf8')) });
});
