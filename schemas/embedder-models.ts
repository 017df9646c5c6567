import { ConfigurationError } from './configuration-error.ts';
import { dimensionMax, formatSpace, type PrefixScheme, type Space } from './space.ts';

/** A model that vectors are made with, and what runs it. */
export interface OfferedModel {
  readonly kind: 'minilm' | 'ollama';
  readonly space: Space;
}

/** The space of the embedded model. */
export const minilmSpace: Space = { model: 'all-minilm-l6-v2', dimension: 384, prefixScheme: 'none' };

/** Each is loaded, and has a cache of its own. */
const modelsBesideMax = 8;

/** Models of Ollama whose dimension and prefixes are published; of others the dimension has to be set. */
const knownOllamaModels: Readonly<Record<string, { dimension: number; prefixScheme: PrefixScheme }>> = {
  'nomic-embed-text': { dimension: 768, prefixScheme: 'nomic' },
  'nomic-embed-text-v2-moe': { dimension: 768, prefixScheme: 'nomic' },
  'all-minilm': { dimension: 384, prefixScheme: 'none' },
  'mxbai-embed-large': { dimension: 1024, prefixScheme: 'none' },
};

/**
 * The space that the configured embedder makes vectors of; decided without asking it.
 * @throws ConfigurationError where the dimension of the model is not known
 */
export function embedderSpace(kind: OfferedModel['kind'], model: string, dimension: number | undefined): Space {
  if (kind === 'minilm') return minilmSpace;
  const space = ollamaSpace(model, dimension);
  if (space !== undefined) return space;
  throw new ConfigurationError(
    `LAKEHOUSE_OLLAMA_DIMENSION: the dimension of "${model}" is not known here; set it to what the model's page says`,
  );
}

function ollamaSpace(model: string, dimension: number | undefined): Space | undefined {
  const known = knownOllamaModels[model.split(':')[0] ?? model];
  const decided = dimension ?? known?.dimension;
  if (decided === undefined) return undefined;
  return { model, dimension: decided, prefixScheme: known?.prefixScheme ?? 'none' };
}

const besidePattern = /^([A-Za-z0-9][A-Za-z0-9._:/-]{0,127})(?:@([1-9][0-9]{0,3}))?$/;

/**
 * The models that are offered beside the configured one: `all-minilm-l6-v2` is the embedded one, every other name one of
 * Ollama's, with `@dimension` behind it where that is not known. The configured one and repetitions are left out.
 * @throws ConfigurationError for what is no model, a dimension that is not known, two spaces of one model, or too many
 */
export function modelsBeside(configured: Space, names: readonly string[]): OfferedModel[] {
  const spaceOfModel = new Map([[configured.model, formatSpace(configured)]]);
  const models: OfferedModel[] = [];
  for (const name of names) {
    const model = offeredModel(name);
    const space = formatSpace(model.space);
    const told = spaceOfModel.get(model.space.model);
    if (told === space) continue;
    if (told !== undefined) throw fault(`"${name}" is ${space}, and ${told} is offered already: give one of them`);
    spaceOfModel.set(model.space.model, space);
    models.push(model);
  }
  if (models.length > modelsBesideMax) throw fault(`${models.length} models are too many; at most ${modelsBesideMax}`);
  return models;
}

function offeredModel(name: string): OfferedModel {
  const [, model, dimensionText] = besidePattern.exec(name) ?? [];
  const dimension = dimensionText === undefined ? undefined : Number(dimensionText);
  if (model === undefined || (dimension ?? 0) > dimensionMax)
    throw fault(`"${name}" is not a model; write it as "nomic-embed-text" or, with its dimension, "mine@64"`);
  if (model === minilmSpace.model) {
    if (dimension !== undefined && dimension !== minilmSpace.dimension)
      throw fault(`"${name}": the embedded model has ${minilmSpace.dimension} dimensions`);
    return { kind: 'minilm', space: minilmSpace };
  }
  const space = ollamaSpace(model, dimension);
  if (space === undefined)
    throw fault(`the dimension of "${model}" is not known here; write it as "${model}@768", with what its page says`);
  return { kind: 'ollama', space };
}

function fault(message: string): ConfigurationError {
  return new ConfigurationError(`LAKEHOUSE_EMBED_MODELS: ${message}`);
}
