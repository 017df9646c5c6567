import { colourOf, fixed, frame, inner, size } from './frame.ts';
import { rangeOf, type Sample } from './samples.ts';

/** Counts from one run to the next. */
export function linePlot(title: string, axis: string, names: readonly string[], lines: readonly Sample[]): string {
  const [, most] = rangeOf([1, ...lines.flatMap(({ values }) => values)]);
  const x = (at: number) => size.left + (names.length < 2 ? 0.5 : at / (names.length - 1)) * inner.width;
  const y = (value: number) => size.top + (1 - value / most) * inner.height;
  const marks = lines.flatMap(({ values }, line) => {
    const points = values.map((value, at) => `${fixed(x(at))} ${fixed(y(value))}`);
    const dots = values.map(
      (value, at) => `<circle cx="${fixed(x(at))}" cy="${fixed(y(value))}" r="3" fill="${colourOf(line)}"/>`,
    );
    return [`<path d="M${points.join('L')}" fill="none" stroke="${colourOf(line)}" stroke-width="2"/>`, ...dots];
  });
  const yTicks = ['0', String(Math.round(most / 2)), String(most)];
  const legend = lines.map(({ name }) => name);
  return frame({ title, axis, yTicks, xTicks: [names[0] ?? '', names.at(-1) ?? ''], legend, marks });
}
