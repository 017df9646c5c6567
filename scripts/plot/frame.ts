/** Pictures for reports: plain SVG, readable in light and dark. What is drawn is decided by the callers. */

export const size = { width: 720, height: 360, left: 56, right: 16, top: 40, bottom: 44 } as const;
export const inner = {
  width: size.width - size.left - size.right,
  height: size.height - size.top - size.bottom,
} as const;
export const colours = ['#3366cc', '#cc6633', '#339966', '#996699'] as const;

export interface Frame {
  readonly title: string;
  /** What the horizontal axis tells. */
  readonly axis: string;
  /** From the bottom up, evenly apart; at least two. */
  readonly yTicks: readonly string[];
  /** From left to right, evenly apart; at least two. */
  readonly xTicks: readonly string[];
  /** Names of what the colours tell, in their order. */
  readonly legend: readonly string[];
  /** SVG elements between the axes. */
  readonly marks: readonly string[];
}

/** Axes, ticks and a legend around marks. */
export function frame({ title, axis, yTicks, xTicks, legend, marks }: Frame): string {
  const bottom = size.top + inner.height;
  const step = (ticks: readonly string[]) => 1 / Math.max(ticks.length - 1, 1);
  return document(title, size, [
    `<path d="M${size.left} ${size.top}V${bottom}H${size.left + inner.width}" fill="none" stroke="#555555"/>`,
    ...yTicks.map((tick, at) => text(size.left - 8, bottom - at * step(yTicks) * inner.height + 4, 'end', tick)),
    ...xTicks.map((tick, at) => text(size.left + at * step(xTicks) * inner.width, bottom + 18, 'middle', tick)),
    text(size.left + inner.width / 2, bottom + 36, 'middle', axis),
    ...marks,
    ...legend.map((name, at) => text(size.width - size.right, 22 + 16 * at, 'end', name, ` fill="${colourOf(at)}"`)),
  ]);
}

/** An SVG document with its title on top. */
export function document(
  title: string,
  { width, height }: { readonly width: number; readonly height: number },
  elements: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="${escapeXml(title)}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(16, 22, 'start', title, ' font-size="14" font-weight="bold"'),
    ...elements,
    '</svg>',
    '',
  ].join('\n');
}

export function colourOf(at: number): string {
  return colours[at % colours.length] ?? colours[0];
}

export function text(x: number, y: number, anchor: string, content: string, more = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}"${more}>${escapeXml(content)}</text>`;
}

/** A coordinate: one decimal is less than a person can see. */
export function fixed(value: number): string {
  return value.toFixed(1);
}

function escapeXml(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
