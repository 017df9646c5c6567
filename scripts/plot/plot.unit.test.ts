import { describe, expect, it } from 'vitest';
import { labelledBars } from './bars.ts';
import { linePlot } from './lines.ts';
import { matrixPlot } from './matrix.ts';
import { bucketPlot, distributionPlot } from './samples.ts';
import { scatterPlot } from './scatter.ts';

const count = (svg: string, what: string) => svg.split(what).length - 1;

const plots = {
  distribution: distributionPlot('a < b & "c"', 'x', [
    { name: 'before', values: [1, 2] },
    { name: 'since', values: [] },
  ]),
  buckets: bucketPlot('a < b', 'x', ['before', 'since'], [{ from: 0, to: 1, shares: [0.5, 1] }]),
  scatter: scatterPlot('a < b', 'distance', [
    [0.4, 0.2],
    [null, 0.1],
    [0.3, null],
  ]),
  bars: labelledBars('a < b', [
    { label: 'up', value: 5, told: '+500%', marked: true },
    { label: 'down', value: -0.5, told: '-50%', marked: false },
  ]),
  matrix: matrixPlot('a < b', ['good', 'bad'], [{ from: 'good', to: 'bad', count: 3 }]),
  lines: linePlot('a < b', 'run', ['one', 'two'], [{ name: 'accepted', values: [3, 4] }]),
  nothing: scatterPlot('nothing', 'distance', []),
};

describe('a picture', () => {
  it.each(Object.entries(plots))('%s is a whole SVG without a number that is none', (_, svg) => {
    expect(svg.startsWith('<svg ')).toBe(true);
    expect(svg.endsWith('</svg>\n')).toBe(true);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|a < b/);
    for (const name of ['svg', 'text']) expect(count(svg, `<${name} `)).toBe(count(svg, `</${name}>`));
  });

  it('has a mark for each thing it is given', () => {
    expect(count(plots.scatter, '<circle')).toBe(3);
    expect(count(plots.bars, '<rect')).toBe(1 + 2);
    expect(count(plots.matrix, '<rect')).toBe(1 + 4);
    expect(plots.matrix).toContain('>3</text>');
    expect(count(plots.lines, '<circle')).toBe(2);
  });

  it('draws a bar below zero to the left of one above', () => {
    const [up, down] = [...plots.bars.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(
      ([, x, width]) => [Number(x), Number(width)] as const,
    );
    expect((down?.[0] ?? 0) + (down?.[1] ?? 0)).toBeCloseTo(up?.[0] ?? 0, 0);
    expect(up?.[1]).toBeGreaterThan(down?.[1] ?? 0);
  });
});
