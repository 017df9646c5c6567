import { Ollama } from 'ollama';
import { dimensionMax, type PrefixScheme, type Space } from '../../schemas/space.ts';
import {
  checkTexts,
  type Embedder,
  EmbedderError,
  type EmbedKind,
  type EmbedResult,
  prefixFor,
  throwIfAborted,
} from './embedder.ts';
import { explainRefusal, requestEmbeddings, requestProbe } from './ollama/client.ts';
import { isRefusal, toEmbedderError, type Upstream } from './ollama/failures.ts';
import { ollamaLimits } from './ollama/limits.ts';
import { traitsOf } from './ollama/models.ts';
import { cutToTokens } from './ollama/token-budget.ts';
import { toUnitVectors } from './unit-vectors.ts';

export interface OllamaOptions {
  /** An Ollama model name, such as `nomic-embed-text` or `nomic-embed-text-v2-moe:latest`. */
  readonly model: string;
  /** Where the server is, in any form that OLLAMA_HOST may have. By default `http://127.0.0.1:11434`. */
  readonly host?: string;
  /** Dimension of the model's vectors. The server is asked for it where it is not given. */
  readonly dimension?: number;
  /** By default what the model is known to need, `none` for a model that is not known. */
  readonly prefixScheme?: PrefixScheme;
  /** Tokens, prefix included, after which a text is cut. By default what the model is known to read, else 512. */
  readonly textTokensMax?: number;
  /** Time for one call of `embed`, all of its requests together. */
  readonly deadlineMs?: number;
  /** Texts in one request to the server. */
  readonly batchTextsMax?: number;
}

interface Settings {
  readonly upstream: Upstream;
  readonly space: Space;
  readonly textTokensMax: number;
  readonly deadlineMs: number;
  readonly batchTextsMax: number;
}

/**
 * An embedder that asks an Ollama server. With a `dimension` nothing is sent yet; without one the server has to answer
 * first, and an `EmbedderError` is thrown where it does not. Throws `TypeError` where the host is not an address.
 */
export async function createOllamaEmbedder(options: OllamaOptions, signal: AbortSignal): Promise<Embedder> {
  const traits = traitsOf(options.model);
  const settings: Settings = {
    upstream: toUpstream(options),
    space: await toSpace(options, signal),
    textTokensMax: options.textTokensMax ?? traits.textTokensMax,
    deadlineMs: options.deadlineMs ?? ollamaLimits.deadlineMs,
    batchTextsMax: options.batchTextsMax ?? ollamaLimits.batchTextsMax,
  };
  return {
    space: settings.space,
    name: 'ollama',
    embed: async (texts, kind, callerSignal) => {
      checkTexts(texts);
      throwIfAborted(callerSignal);
      return embedAll(settings, texts, kind, callerSignal);
    },
    close: async () => {},
  };
}

/** Asks the server for a vector of the model and returns the space that it is in. Throws `EmbedderError`. */
export async function probeSpace(options: Omit<OllamaOptions, 'dimension'>, signal: AbortSignal): Promise<Space> {
  const upstream = toUpstream(options);
  const ownSignal = withDeadline(signal, options.deadlineMs ?? ollamaLimits.deadlineMs);
  const reply = await requestProbe(upstream, ownSignal);
  const first: unknown = Array.isArray(reply) ? reply[0] : undefined;
  const dimension = Array.isArray(first) ? first.length : 0;
  const { model } = options;
  const space = { model, dimension, prefixScheme: options.prefixScheme ?? traitsOf(model).prefixScheme };
  toUnitVectors(reply, 1, space, upstream.host);
  if (dimension > dimensionMax) {
    const message = `The vectors of ${model} have ${dimension} dimensions; at most ${dimensionMax} are possible here. Use another model.`;
    throw new EmbedderError({ kind: 'bad_reply', message });
  }
  return space;
}

async function toSpace(options: OllamaOptions, signal: AbortSignal): Promise<Space> {
  const { model, dimension, ...rest } = options;
  if (dimension === undefined) return probeSpace({ model, ...rest }, signal);
  return { model, dimension, prefixScheme: options.prefixScheme ?? traitsOf(model).prefixScheme };
}

const defaultHost = 'http://127.0.0.1:11434';

/** Checks the address with the client's own reading of it. */
function toUpstream({ host = defaultHost, model }: Pick<OllamaOptions, 'host' | 'model'>): Upstream {
  if (host.includes('@')) {
    throw new TypeError(
      'OLLAMA_HOST holds a user name or password, which cannot be sent. Give only the address, such as 127.0.0.1:11434.',
    );
  }
  try {
    new Ollama({ host });
  } catch (error) {
    throw new TypeError(`OLLAMA_HOST is not an address: ${host}. Give a host and port, such as 127.0.0.1:11434.`, {
      cause: error,
    });
  }
  return { host, model };
}

function withDeadline(signal: AbortSignal, deadlineMs: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
}

async function embedAll(
  settings: Settings,
  texts: readonly string[],
  kind: EmbedKind,
  signal: AbortSignal,
): Promise<EmbedResult> {
  const prefix = prefixFor(settings.space.prefixScheme, kind);
  const cut = texts.map((text) => cutToTokens(prefix + text, settings.textTokensMax));
  const inputs = cut.map((text) => text.text);
  const ownSignal = withDeadline(signal, settings.deadlineMs);
  const vectors: Float32Array[] = [];
  for (let start = 0; start < inputs.length; start += settings.batchTextsMax) {
    const batch = inputs.slice(start, start + settings.batchTextsMax);
    vectors.push(...(await embedBatch(settings, batch, start, ownSignal)));
  }
  return { vectors, truncated: cut.map((text) => text.truncated) };
}

/**
 * One request, or two of half the size where the server refuses the texts, and so on down to the one that it
 * refuses alone. `offset` is the place of the first text in the caller's list.
 */
async function embedBatch(
  settings: Settings,
  texts: readonly string[],
  offset: number,
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const { upstream, space } = settings;
  try {
    return toUnitVectors(await requestEmbeddings(upstream, texts, signal), texts.length, space, upstream.host);
  } catch (error) {
    if (!isRefusal(error)) throw toEmbedderError(error, upstream, signal);
    if (texts.length === 1) throw await explainRefusal(upstream, error, offset, signal);
  }
  const middle = Math.ceil(texts.length / 2);
  const left = await embedBatch(settings, texts.slice(0, middle), offset, signal);
  return [...left, ...(await embedBatch(settings, texts.slice(middle), offset + middle, signal))];
}
