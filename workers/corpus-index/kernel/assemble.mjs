// Assembles kernel.wat. `node assemble.mjs` writes kernel-bytes.ts; `node assemble.mjs --print` prints the base64 only.
import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const here = (name) => new URL(name, import.meta.url);
const { parseWat } = await wabt();
const parsed = parseWat('kernel.wat', readFileSync(here('kernel.wat'), 'utf8'), { simd: true });
parsed.validate();
const base64 = Buffer.from(parsed.toBinary({}).buffer).toString('base64');

if (process.argv.includes('--print')) process.stdout.write(base64);
else {
  const lines = base64.match(/.{1,100}/g).map((line) => `  '${line}',`);
  const text = `/** \`kernel.wat\`, assembled by \`node assemble.mjs\`; a test assembles it again and compares. */
export const kernelBase64 = [
${lines.join('\n')}
].join('');
`;
  writeFileSync(here('kernel-bytes.ts'), text);
}
