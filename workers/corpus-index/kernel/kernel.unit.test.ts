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

describe('the kernel for codes', () => {
  it('equals plain arithmetic for every width and count', () => {
    const code = fc.integer({ min: -127, max: 127 });
    const inputs = fc.integer({ min: 1, max: 3 }).chain((sixteens) => {
      const width = sixteens * 16;
      const row = fc.array(code, { minLength: width, maxLength: width });
      return fc.tuple(
        fc.array(fc.integer({ min: -32_767, max: 32_767 }), { minLength: width, maxLength: width }),
        fc.array(fc.tuple(row, fc.integer({ min: 0, max: 3 }), fc.integer({ min: -9, max: 9 })), {
          minLength: 4,
          maxLength: 12,
        }),
      );
    });
    fc.assert(
      fc.property(inputs, ([query, rows]) => {
        const whole = rows.slice(0, rows.length - (rows.length % 4));
        const expected = whole.map(([row, factor, offset]) => {
          const dot = Math.fround(sum(row.map((value, place) => value * at(query, place))));
          return Math.fround(offset - Math.fround(2 * factor * dot));
        });
        const { output, least } = scanCodes(query, whole);
        expect(output).toEqual(expected);
        expect(least).toEqual(expected.flatMap((_, i) => (i % 4 === 0 ? [Math.min(...expected.slice(i, i + 4))] : [])));
      }),
    );
  });
});

/** The scale is 2. */
function scanCodes(query: readonly number[], rows: readonly (readonly [number[], number, number])[]) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const [factorsAt, offsetsAt, outputAt, leastAt, codesAt] = [1_024, 2_048, 3_072, 4_096, 5_120];
  new Int16Array(memory.buffer).set(query, 0);
  const codes = new Int8Array(memory.buffer);
  for (const [place, [row, factor, offset]] of rows.entries()) {
    const groupAt = codesAt + Math.floor(place / 4) * 4 * query.length;
    for (const [i, value] of row.entries()) codes[groupAt + Math.floor(i / 8) * 32 + (place % 4) * 8 + (i % 8)] = value;
    new Float32Array(memory.buffer, factorsAt)[place] = factor;
    new Float32Array(memory.buffer, offsetsAt)[place] = offset;
  }
  const { codes: scan } = createKernel(memory);
  scan(0, codesAt, query.length, rows.length, factorsAt, offsetsAt, 2, outputAt, leastAt);
  return {
    output: [...new Float32Array(memory.buffer, outputAt, rows.length)],
    least: [...new Float32Array(memory.buffer, leastAt, rows.length / 4)],
  };
}

describe('the exact dot product', () => {
  it('is summed in double', () => {
    const rows = fc
      .integer({ min: 1, max: 9 })
      .chain((fours) =>
        fc.tuple(
          fc.array(fc.integer({ min: -(2 ** 23), max: 2 ** 23 }), { minLength: fours * 4, maxLength: fours * 4 }),
          fc.array(fc.integer({ min: -(2 ** 23), max: 2 ** 23 }), { minLength: fours * 4, maxLength: fours * 4 }),
        ),
      );
    fc.assert(
      fc.property(rows, ([query, vector]) => {
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
        new Float64Array(memory.buffer).set(query, 0);
        new Float32Array(memory.buffer, 1_024).set(vector, 0);
        const exact = sum(vector.map((value, place) => value * at(query, place)));
        expect(createKernel(memory).exactDot(0, 1_024, vector.length * 4)).toBe(exact);
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
