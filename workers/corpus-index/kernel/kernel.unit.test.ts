import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKernel } from './kernel.ts';
import { kernelBase64 } from './kernel-bytes.ts';

describe('the scan kernel', () => {
  it('is what its source assembles to', () => {
    const script = fileURLToPath(new URL('assemble.mjs', import.meta.url));
    expect(execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' })).toBe(kernelBase64);
  });

  it('equals plain arithmetic for every width and count', () => {
    const whole = fc.integer({ min: -64, max: 64 });
    const inputs = fc
      .integer({ min: 1, max: 70 })
      .chain((dimension) =>
        fc.tuple(
          fc.array(whole, { minLength: dimension, maxLength: dimension }),
          fc.array(fc.array(whole, { minLength: dimension, maxLength: dimension }), { maxLength: 5 }),
        ),
      );
    fc.assert(
      fc.property(inputs, ([query, vectors]) => {
        const scanned = scan(query, vectors);
        // Whole numbers this small are exact in float32, whatever the order of the additions.
        expect(scanned.dots).toEqual(vectors.map((vector) => sum(vector.map((value, i) => value * at(query, i)))));
        expect(scanned.squares).toEqual(vectors.map((vector) => sum(vector.map((v, i) => (v - at(query, i)) ** 2))));
      }),
    );
  });
});

const at = (values: readonly number[], place: number) => values[place] ?? Number.NaN;
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function scan(query: readonly number[], vectors: readonly number[][]) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  const kernel = createKernel(memory);
  const floats = new Float32Array(memory.buffer);
  const width = Math.ceil(query.length / 4) * 4;
  floats.set(query, 0);
  vectors.forEach((vector, row) => {
    floats.set(vector, width * (row + 1));
  });
  const output = width * (vectors.length + 1);
  const run = (name: 'dots' | 'squares') => {
    kernel[name](0, width * 4, width * 4, vectors.length, output * 4);
    return [...floats.slice(output, output + vectors.length)];
  };
  return { dots: run('dots'), squares: run('squares') };
}
