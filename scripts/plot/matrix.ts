import { document, text } from './frame.ts';

export interface Cell {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

const layout = { label: 150, top: 70, cellWidth: 130, cellHeight: 40, margin: 16 } as const;

/** What became of what: a row for each kind that was, a column for each that is; the fuller the darker. */
export function matrixPlot(title: string, kinds: readonly string[], cells: readonly Cell[]): string {
  const most = Math.max(1, ...cells.map(({ count }) => count));
  const width = layout.label + kinds.length * layout.cellWidth + layout.margin;
  const height = layout.top + kinds.length * layout.cellHeight + layout.margin;
  const boxes = kinds.flatMap((from, row) =>
    kinds.flatMap((to, column) => {
      const count = cells.find((cell) => cell.from === from && cell.to === to)?.count ?? 0;
      const [x, y] = [layout.label + column * layout.cellWidth, layout.top + row * layout.cellHeight];
      const opacity = count === 0 ? 0.04 : 0.15 + 0.6 * (count / most);
      return [
        `<rect x="${x}" y="${y}" width="${layout.cellWidth}" height="${layout.cellHeight}" fill="${from === to ? '#3366cc' : '#cc6633'}" fill-opacity="${opacity.toFixed(2)}" stroke="#999999"/>`,
        text(x + layout.cellWidth / 2, y + 25, 'middle', String(count)),
      ];
    }),
  );
  const names = kinds.flatMap((kind, at) => [
    text(layout.label - 8, layout.top + at * layout.cellHeight + 25, 'end', kind),
    text(layout.label + (at + 0.5) * layout.cellWidth, layout.top - 10, 'middle', kind),
  ]);
  return document(title, { width, height }, [...names, ...boxes]);
}
