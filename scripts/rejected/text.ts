import type { DeadLetter } from '../../streams/rejections.ts';
import { formatCount } from '../command/format.ts';
import { textTable } from '../command/table.ts';
import type { RejectedRow, ShownPayload } from './payload.ts';
import type { Settled } from './settle.ts';

const messageCharactersMax = 80;

export function listText(shown: readonly DeadLetter[], found: number): string {
  if (found === 0) return 'Nothing is set aside.';
  const columns = [
    { title: 'id', right: true },
    { title: 'set aside' },
    { title: 'message' },
    { title: 'worker' },
    { title: 'reason' },
    { title: 'attempts', right: true },
    { title: 'state' },
    { title: 'what was wrong' },
  ];
  const rows = shown.map((letter) => [
    String(letter.id),
    isoOf(letter),
    `${letter.stream} ${letter.sequence}`,
    letter.worker,
    letter.reason,
    String(letter.attempts),
    letter.state,
    oneLine(letter.message),
  ]);
  const rest = found - shown.length;
  const more =
    rest === 0 ? [] : ['', `${formatCount(rest)} more: raise --limit, or filter by --reason, --stream, --worker`];
  return [textTable(columns, rows), ...more].join('\n');
}

export function letterText(letter: DeadLetter, row: RejectedRow | undefined, shown: ShownPayload | undefined): string {
  const { id, stream, sequence, subject, worker, reason, attempts, version, state, detail } = letter;
  const origin = { rejected: 'kept with the rejection', stream: `read from ${stream}`, gone: `gone from ${stream}` };
  return [
    `${id}: ${stream} ${sequence} (${subject}), set aside by ${worker} on ${isoOf(letter)}`,
    `reason    ${reason}: ${row?.message ?? letter.message}`,
    `attempts  ${attempts}`,
    `version   ${version ?? 'none'}`,
    ...traceLine(row),
    `state     ${state}${detail === '' ? '' : `: ${detail}`}`,
    shown === undefined
      ? 'payload   not known: the row has left the window of REJECTED'
      : `payload   ${shown.bytes ?? 'an unknown number of'} bytes, ${origin[shown.from]}${shown.encoding === 'base64' ? ', in base64' : ''}`,
    ...(shown?.payload === undefined || shown.payload === null ? [] : ['', shown.payload]),
  ].join('\n');
}

function traceLine(row: RejectedRow | undefined): string[] {
  const named = [row?.traceId, row?.traceparent].filter((one) => one !== undefined);
  return named.length === 0 ? [] : [`trace     ${named.join(', ')}`];
}

export function settledText(settled: readonly Settled[]): string {
  if (settled.length === 0) return 'Nothing that is set aside fits.';
  const rows = settled.map(({ id, outcome, detail }) => [String(id), outcome.replace('_', ' '), oneLine(detail)]);
  return textTable([{ title: 'id', right: true }, { title: 'outcome' }, { title: 'detail' }], rows);
}

export function isoOf({ rejectedAtMs }: DeadLetter): string {
  return new Date(rejectedAtMs).toISOString();
}

function oneLine(text: string): string {
  const flat = text.replace(/\s+/g, ' ');
  return flat.length > messageCharactersMax ? `${flat.slice(0, messageCharactersMax - 3)}...` : flat;
}
