import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import wabtFactory from 'wabt';

/** Assembles `kernel.wat` to the bytes of a WebAssembly module. */
export async function assembleKernel(): Promise<Buffer> {
  const wabt = await wabtFactory();
  const path = fileURLToPath(new URL('./kernel.wat', import.meta.url));
  const module = wabt.parseWat(path, readFileSync(path, 'utf8'), { simd: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  return Buffer.from(buffer);
}

/** The text of `kernel-bytes.ts`. */
export function kernelSource(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,100}/g) ?? [];
  const literal = lines.map((line) => `  '${line}',`).join('\n');
  return `/** \`kernel.wat\`, assembled. A test assembles it again and compares; the folder's README tells how to make it anew. */\nexport const kernelBytes: Buffer = Buffer.from(\n  [\n${literal.replace(/^/gm, '  ')}\n  ].join(''),\n  'base64',\n);\n`;
}

export function writeKernelSource(source: string): void {
  writeFileSync(fileURLToPath(new URL('./kernel-bytes.ts', import.meta.url)), source);
}
