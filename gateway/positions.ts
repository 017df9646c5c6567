import { formatPosition, joinPositions, type Position, parsePosition, positionStreams } from '../schemas/position.ts';
import { ProblemError } from '../schemas/problems.ts';

/** The newest position that this gateway has answered, so that whoever asks next through it sees what was done before. */
export interface PositionKeeper {
  /**
   * What to ask of a service: the newest answered and the client's own together; empty where there is neither.
   * @param wanted the client's header
   * @throws ProblemError `bad_request` where that is malformed
   */
  attach(wanted: string | undefined): string;
  /** Remembers the position of an answer. */
  note(answered: string | undefined): void;
}

const keptStreams: readonly string[] = positionStreams;

export function createPositionKeeper(): PositionKeeper {
  let newest: Position = {};
  // Both texts are kept: most answers carry the position of the one before, and most clients send none.
  let newestText = '';
  let notedText = '';

  return {
    attach: (wanted) => {
      if (wanted === undefined || wanted === '') return newestText;
      return formatPosition(joinPositions(newest, readPosition(wanted)));
    },
    note: (answered) => {
      if (answered === undefined || answered === notedText) return;
      notedText = answered;
      const position = Object.entries(parsePosition(answered) ?? {}).filter(([stream]) => keptStreams.includes(stream));
      newest = joinPositions(newest, Object.fromEntries(position));
      newestText = formatPosition(newest);
    },
  };
}

function readPosition(text: string): Position {
  const position = parsePosition(text);
  if (position !== undefined) return position;
  throw new ProblemError('bad_request', 'X-Lakehouse-Position must read like "PLAYBOOKS=12,VECTORS=4031"');
}
