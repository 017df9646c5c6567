import { colourOf, document, fixed, text } from './frame.ts';
import { rangeOf } from './samples.ts';

export interface Bar {
  readonly label: string;
  /** Bars below zero lead to the left. */
  readonly value: number;
  /** What stands behind the bar. */
  readonly told: string;
  readonly marked: boolean;
}

const layout = { width: 720, label: 200, told: 110, top: 40, row: 24, bottom: 16 } as const;

/** A bar a row, with its name and value; marked ones stand out. */
export function labelledBars(title: string, bars: readonly Bar[]): string {
  const [least, most] = rangeOf([0, ...bars.map(({ value }) => value)]);
  const room = layout.width - layout.label - layout.told;
  const x = (value: number) => layout.label + ((value - least) / (most - least || 1)) * room;
  const rows = bars.flatMap(({ label, value, told, marked }, at) => {
    const top = layout.top + at * layout.row;
    const [from, to] = [x(Math.min(value, 0)), x(Math.max(value, 0))];
    return [
      text(layout.label - 8, top + 14, 'end', label),
      `<rect x="${fixed(from)}" y="${top + 3}" width="${fixed(to - from)}" height="${layout.row - 8}" fill="${colourOf(marked ? 1 : 0)}"/>`,
      text(layout.width - 8, top + 14, 'end', told),
    ];
  });
  const height = layout.top + bars.length * layout.row + layout.bottom;
  const zero = `<path d="M${fixed(x(0))} ${layout.top}V${height - layout.bottom}" stroke="#555555"/>`;
  return document(title, { width: layout.width, height }, [...rows, zero]);
}
