import { colourOf, fixed, frame, inner, size } from './frame.ts';
import { rangeOf, ticksOf } from './samples.ts';

/** A value before and after; null where it is not there. */
export type Pair = readonly [number | null, number | null];

const pointsMax = 5_000;
/** Where what is not there is drawn, as a part of the axis. */
const presentPart = 0.9;

/** Values before and after as points, what is not there beyond the end of its axis; on the diagonal nothing moved. */
export function scatterPlot(title: string, axis: string, pairs: readonly Pair[]): string {
  const told = pairs.slice(0, pointsMax);
  const values = told.flatMap((pair) => pair.filter((value) => value !== null));
  const [least, most] = rangeOf(values);
  const span = most - least || 1;
  const part = (value: number | null) => (value === null ? 1 : ((value - least) / span) * presentPart);
  const x = (at: number) => fixed(size.left + at * inner.width);
  const y = (at: number) => fixed(size.top + (1 - at) * inner.height);
  const points = told.map(([before, after]) => {
    const kind = before === null ? 1 : after === null ? 2 : 0;
    return `<circle cx="${x(part(before))}" cy="${y(part(after))}" r="3" fill="${colourOf(kind)}" fill-opacity="0.6"/>`;
  });
  const diagonal = `<path d="M${x(0)} ${y(0)}L${x(presentPart)} ${y(presentPart)}" stroke="#999999" stroke-dasharray="4 4"/>`;
  const left = pairs.length - told.length;
  return frame({
    title: left === 0 ? title : `${title} (the first ${told.length} of ${pairs.length})`,
    axis: `${axis}: before to the right, after upwards, what is not there beyond the end`,
    yTicks: ticksOf(least, least + span / presentPart)
      .slice(0, 2)
      .concat('none'),
    xTicks: ticksOf(least, least + span / presentPart)
      .slice(0, 2)
      .concat('none'),
    legend: ['moved', 'came in', 'fell out'],
    marks: [diagonal, ...points],
  });
}
