/** A picture for a report: axes, steps or bars, and a legend. Plain SVG, readable in light and dark. */

const size = { width: 720, height: 360, left: 56, right: 16, top: 40, bottom: 44 } as const;
const inner = { width: size.width - size.left - size.right, height: size.height - size.top - size.bottom } as const;
const colours = ['#3366cc', '#cc6633'] as const;

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** The empirical distributions of two samples as steps from 0 to 1. */
export function distributionPlot(title: string, axis: string, series: readonly [Series, Series]): string {
  const values = series.flatMap((one) => [...one.values]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const span = most - least || 1;
  const x = (value: number) => size.left + ((value - least) / span) * inner.width;
  const y = (share: number) => size.top + (1 - share) * inner.height;
  const paths = series.map(({ values: sample }, at) => {
    const sorted = [...sample].sort((left, right) => left - right);
    const steps = sorted.map((value, index) => `H${x(value).toFixed(1)}V${y((index + 1) / sorted.length).toFixed(1)}`);
    return `<path d="M${size.left} ${y(0)}${steps.join('')}H${size.left + inner.width}" fill="none" stroke="${colours[at]}" stroke-width="2"/>`;
  });
  return frame(title, axis, ['0', '0.5', '1'], [least, least + span / 2, most], series, paths);
}

/** Shares in buckets, two bars a bucket. */
export function bucketPlot(
  title: string,
  axis: string,
  names: readonly [string, string],
  buckets: readonly { readonly from: number; readonly to: number; readonly shares: readonly [number, number] }[],
): string {
  const most = Math.max(...buckets.flatMap(({ shares }) => [...shares]), Number.EPSILON);
  const width = inner.width / Math.max(buckets.length, 1);
  const bars = buckets.flatMap(({ shares }, bucket) =>
    shares.map((share, at) => {
      const height = (share / most) * inner.height;
      const left = size.left + bucket * width + width * (0.1 + 0.4 * at);
      return `<rect x="${left.toFixed(1)}" y="${(size.top + inner.height - height).toFixed(1)}" width="${(width * 0.4).toFixed(1)}" height="${height.toFixed(1)}" fill="${colours[at]}"/>`;
    }),
  );
  const [first, last] = [buckets[0]?.from ?? 0, buckets.at(-1)?.to ?? 1];
  const ticks = ['0', (most / 2).toFixed(2), most.toFixed(2)];
  const series = names.map((name) => ({ name, values: [] }));
  return frame(title, axis, ticks, [first, (first + last) / 2, last], series, bars);
}

function frame(
  title: string,
  axis: string,
  yTicks: readonly string[],
  xTicks: readonly number[],
  series: readonly Series[],
  marks: readonly string[],
): string {
  const bottom = size.top + inner.height;
  const text = (x: number, y: number, anchor: string, content: string, more = '') =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}"${more}>${escapeXml(content)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12" role="img" aria-label="${escapeXml(title)}">`,
    `<rect width="${size.width}" height="${size.height}" fill="#ffffff"/>`,
    text(size.left, 22, 'start', title, ' font-size="14" font-weight="bold"'),
    `<path d="M${size.left} ${size.top}V${bottom}H${size.left + inner.width}" fill="none" stroke="#555555"/>`,
    ...yTicks.map((tick, at) => text(size.left - 8, bottom - (at / 2) * inner.height + 4, 'end', tick)),
    ...xTicks.map((tick, at) => text(size.left + (at / 2) * inner.width, bottom + 18, 'middle', tick.toFixed(3))),
    text(size.left + inner.width / 2, bottom + 36, 'middle', axis),
    ...marks,
    ...series.map(({ name }, at) => text(size.width - size.right, 22 + 16 * at, 'end', name, ` fill="${colours[at]}"`)),
    '</svg>',
    '',
  ].join('\n');
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
