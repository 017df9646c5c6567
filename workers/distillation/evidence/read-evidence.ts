import type { LogConnection } from '../../../streams/connection.ts';
import { readStream } from '../../../streams/read-stream.ts';
import { tokenAt } from '../../../streams/subjects.ts';
import type { SourceLine } from './make-evidence.ts';
import { isEvidenceStem } from './sources.ts';

/** What was read beside the lines of known sources. */
export interface EvidenceReading {
  readonly lines: AsyncGenerator<SourceLine, void, void>;
  /** Rows of stems without a transform: they stay in the log, and are left out. */
  readonly unknown: ReadonlyMap<string, number>;
}

/** The rows that EVIDENCE holds at this moment, in order. A row's line offset is its place among those of its stem. */
export function readEvidence(connection: LogConnection): EvidenceReading {
  const unknown = new Map<string, number>();
  const offsets = new Map<string, number>();
  async function* lines(): AsyncGenerator<SourceLine, void, void> {
    for await (const { subject, payload } of readStream(connection, 'EVIDENCE')) {
      const stem = tokenAt(subject, 1);
      if (!isEvidenceStem(stem)) {
        unknown.set(stem, (unknown.get(stem) ?? 0) + 1);
        continue;
      }
      const lineOffset = offsets.get(stem) ?? 0;
      offsets.set(stem, lineOffset + 1);
      yield { stem, lineOffset, text: Buffer.from(payload).toString('utf8') };
    }
  }
  return { lines: lines(), unknown };
}
