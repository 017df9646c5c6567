import { createProgress, type Progress, type ProgressStream } from '../progress.ts';

/** A line of progress for each stream, in bytes. */
export function streamProgress(stream: ProgressStream) {
  let current = '';
  let line: Progress | undefined;
  return (told: { stream: string; done: number; total: number }) => {
    if (told.stream !== current) {
      current = told.stream;
      line = createProgress({
        label: `${told.stream} (bytes)`,
        total: told.total,
        stream,
        now: () => performance.now(),
      });
    }
    line?.update(told.done);
    if (told.done === told.total) line?.finish();
  };
}
