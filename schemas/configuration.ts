import { z } from 'zod';
import { type StreamName, streamNames } from './catalog.ts';
import { ConfigurationError } from './configuration-error.ts';
import { embedderSpace, modelsBeside, type OfferedModel } from './embedder-models.ts';
import { type ObjectStoreConfiguration, objectStoreOf, objectStoreVariables } from './object-store-configuration.ts';
import { type RetrievalMode, retrievalSchema } from './requests/explain.ts';
import { searchLimits } from './requests/matrix.ts';
import { dimensionMax, type Space } from './space.ts';

export { minilmSpace } from './embedder-models.ts';
export type { ObjectStoreConfiguration, SecretSource } from './object-store-configuration.ts';
export { ConfigurationError };

/**
 * Everything that is set from outside, read from the environment once, at the start of a process. Names begin with
 * `LAKEHOUSE_`, but for those that other programs fixed (`OLLAMA_HOST`, `OTEL_EXPORTER_OTLP_ENDPOINT`,
 * `LH_FORCE_FULL_ENRICHMENT`).
 */

const port = z.coerce.number().int().min(0).max(65_535);
const count = z.coerce.number().int();
/** Above 0, so that two of them are never both 0. */
const weight = z.coerce.number().min(0.000_1).max(1_000);
const flag = z.enum(['0', '1', 'true', 'false']).transform((text) => text === '1' || text === 'true');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ''),
);

const httpUrl = z.url({ protocol: /^https?$/ });
const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: 'must be addresses or networks separated by commas, such as "10.0.0.0/8,fd00::/8"',
});
const origin = z.union([z.literal('*'), z.string().regex(/^https?:\/\/[^/\s]+$/)], {
  error: 'must be origins separated by commas, such as "https://app.example.org" (no path), or "*"',
});

const environmentSchema = z.object({
  LAKEHOUSE_NATS_URL: z.string().default('nats://127.0.0.1:4222'),
  LAKEHOUSE_NATS_USER: z.string().optional(),
  LAKEHOUSE_NATS_PASSWORD: z.string().optional(),
  LAKEHOUSE_NATS_CA_FILE: z.string().optional(),
  LAKEHOUSE_NATS_CERT_FILE: z.string().optional(),
  LAKEHOUSE_NATS_KEY_FILE: z.string().optional(),
  LAKEHOUSE_DATA_DIR: z.string().default('data'),
  LAKEHOUSE_REPLICAS: count.min(1).max(5).default(1),
  LAKEHOUSE_REQUEST_LOG: flag.default(true),
  LAKEHOUSE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  LAKEHOUSE_HEALTH_HOST: z.string().default('127.0.0.1'),
  LAKEHOUSE_HEALTH_PORT: port.default(0),
  LAKEHOUSE_METRICS_TOKEN: z.string().min(1).optional(),
  LAKEHOUSE_METRICS_OPEN: flag.default(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl.optional(),
  LAKEHOUSE_INSTANCE: z
    .string()
    .regex(/^[a-z0-9_-]{1,64}$/)
    .optional(),
  LAKEHOUSE_EMBEDDER: z.enum(['minilm', 'ollama']).default('minilm'),
  LAKEHOUSE_EMBED_CACHE_SIZE: count.default(10_000),
  LAKEHOUSE_EMBED_THREADS: count.min(1).max(64).optional(),
  LAKEHOUSE_EMBED_DEADLINE_MS: count.min(100).default(60_000),
  OLLAMA_HOST: z.string().default('http://127.0.0.1:11434'),
  LAKEHOUSE_OLLAMA_MODEL: z.string().default('nomic-embed-text'),
  LAKEHOUSE_OLLAMA_DIMENSION: count.min(1).max(dimensionMax).optional(),
  LAKEHOUSE_EMBED_MODELS: list.default([]),
  LAKEHOUSE_GATEWAY_HOST: z.string().default('127.0.0.1'),
  LAKEHOUSE_GATEWAY_PORT: port.default(3110),
  LAKEHOUSE_CORS_ORIGINS: list.pipe(z.array(origin)).default([]),
  LAKEHOUSE_ALLOWED_NETWORKS: list.pipe(z.array(network)).default([]),
  LAKEHOUSE_RATE_LIMIT: count.min(0).default(0),
  LAKEHOUSE_RATE_LIMIT_WINDOW_MS: count.min(1_000).default(60_000),
  LAKEHOUSE_TLS_CERT_FILE: z.string().optional(),
  LAKEHOUSE_TLS_KEY_FILE: z.string().optional(),
  LAKEHOUSE_TOKEN: z.string().min(1).optional(),
  LAKEHOUSE_SECONDARY_TOKENS: list.default([]),
  LAKEHOUSE_BODY_BYTES_MAX: count.min(1024).default(4 * 1024 * 1024),
  LAKEHOUSE_BODIES_BYTES_MAX: count.min(1024).default(128 * 1024 * 1024),
  LAKEHOUSE_SEARCH_DEADLINE_MS: count.min(10).default(10_000),
  LAKEHOUSE_WAIT_DEADLINE_MS: count.min(10).default(60_000),
  LAKEHOUSE_REQUESTS_WAITING_MAX: count.min(1).default(2_000),
  LAKEHOUSE_BACKLOG_MAX: count.min(1).default(1_000_000),
  LAKEHOUSE_SNAPSHOT_INTERVAL_MS: count.min(0).default(300_000),
  LAKEHOUSE_SNAPSHOTS_KEPT: count.min(1).default(3),
  LAKEHOUSE_SEARCH_LOG: flag.default(true),
  LAKEHOUSE_SEARCH_LOG_SAMPLE: z.coerce.number().min(0).max(1).default(1),
  LAKEHOUSE_RECALL_TARGET: z.coerce.number().min(0.5).max(1).default(0.99),
  LAKEHOUSE_JUDGE_URLS: list.default([]),
  LAKEHOUSE_RETRIEVAL: retrievalSchema.default('vector'),
  LAKEHOUSE_HYBRID_FUSION: z.enum(['scores', 'ranks']).default('scores'),
  LAKEHOUSE_HYBRID_VECTOR_WEIGHT: weight.default(0.7),
  LAKEHOUSE_HYBRID_LEXICAL_WEIGHT: weight.default(0.3),
  LAKEHOUSE_HYBRID_RANK_CONSTANT: z.coerce.number().min(1).max(10_000).default(60),
  LAKEHOUSE_HYBRID_CANDIDATES: count.min(1).max(searchLimits.perCorpusKMax).default(100),
  LH_FORCE_FULL_ENRICHMENT: flag.default(false),
  LAKEHOUSE_WEAK_MODELS: list.default(['qwen3.5:latest', 'qwen3:latest']),
  LAKEHOUSE_REPLAY_LOCAL_MODEL: z.string().min(1).default('qwen3.5:latest'),
  LAKEHOUSE_REPLAY_ESCALATION_MODEL: z.string().min(1).default('deepseek-v3.1:671b'),
  ...objectStoreVariables,
});

/** Every variable that a process reads, but for the byte limits of the streams. */
export const environmentNames: readonly string[] = Object.keys(environmentSchema.shape);

export interface Configuration {
  readonly nats: {
    url: string;
    user: string | undefined;
    password: string | undefined;
    replicas: number;
    tls: NatsTls | undefined;
  };
  readonly streamBytes: Partial<Record<StreamName, number>>;
  readonly dataDirectory: string;
  readonly logLevel: string;
  readonly instance: string | undefined;
  readonly health: { host: string; port: number };
  /** Who may read `/metrics`. */
  readonly metrics: { token: string | undefined; open: boolean };
  /** Where spans are posted to; undefined: none are made. */
  readonly tracing: { tracesUrl: string | undefined };
  readonly embedder: {
    kind: 'minilm' | 'ollama';
    space: Space;
    /** Models that are offered beside it, for corpora whose documents are in their spaces. */
    beside: readonly OfferedModel[];
    cacheSize: number;
    threads: number | undefined;
    deadlineMs: number;
    ollamaHost: string;
    ollamaModel: string;
  };
  readonly gateway: {
    host: string;
    port: number;
    token: string | undefined;
    secondaryTokens: readonly string[];
    bodyBytesMax: number;
    bodiesBytesMax: number;
    searchDeadlineMs: number;
    waitDeadlineMs: number;
    requestsWaitingMax: number;
    corsOrigins: readonly string[];
    allowedNetworks: readonly string[];
    rateLimit: { requests: number; windowMs: number };
    /** Undefined: plain HTTP. */
    tlsFiles: { cert: string; key: string } | undefined;
    backlogMax: number;
    /** A line in the log for each request. */
    requestLog: boolean;
  };
  readonly index: {
    snapshotIntervalMs: number;
    snapshotsKept: number;
    searchLog: boolean;
    searchLogSample: number;
    /** Recall@10 that searches of a graph have to reach. */
    recallTarget: number;
    judgeUrls: readonly string[];
    /** How candidates are found where a request does not say. */
    retrieval: RetrievalMode;
    hybrid: {
      method: 'scores' | 'ranks';
      vectorWeight: number;
      lexicalWeight: number;
      rankConstant: number;
      candidates: number;
    };
  };
  readonly downgrade: { forceFullEnrichment: boolean; weakModels: readonly string[] };
  /** The models that a replay asks. */
  readonly replay: { localModel: string; escalationModel: string };
  readonly objectStore: ObjectStoreConfiguration;
}

/** Files for a connection to NATS over TLS; the certificate is the client's own, where the server asks for one. */
export interface NatsTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/**
 * Reads the configuration.
 * @throws ConfigurationError naming every variable that is wrong, and why
 */
export function readConfiguration(environment: Readonly<Record<string, string | undefined>>): Configuration {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigurationError(`the environment does not fit:\n  ${lines.join('\n  ')}`);
  }
  const value = parsed.data;
  const space = embedderSpace(value.LAKEHOUSE_EMBEDDER, value.LAKEHOUSE_OLLAMA_MODEL, value.LAKEHOUSE_OLLAMA_DIMENSION);
  return {
    nats: {
      url: value.LAKEHOUSE_NATS_URL,
      user: value.LAKEHOUSE_NATS_USER,
      password: value.LAKEHOUSE_NATS_PASSWORD,
      replicas: value.LAKEHOUSE_REPLICAS,
      tls: natsTls(value),
    },
    streamBytes: readStreamBytes(given),
    dataDirectory: value.LAKEHOUSE_DATA_DIR,
    logLevel: value.LAKEHOUSE_LOG_LEVEL,
    instance: value.LAKEHOUSE_INSTANCE,
    health: { host: value.LAKEHOUSE_HEALTH_HOST, port: value.LAKEHOUSE_HEALTH_PORT },
    metrics: { token: value.LAKEHOUSE_METRICS_TOKEN, open: value.LAKEHOUSE_METRICS_OPEN },
    tracing: {
      tracesUrl: tracesUrlOf(value.OTEL_EXPORTER_OTLP_ENDPOINT, value.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT),
    },
    embedder: {
      kind: value.LAKEHOUSE_EMBEDDER,
      space,
      beside: modelsBeside(space, value.LAKEHOUSE_EMBED_MODELS),
      cacheSize: value.LAKEHOUSE_EMBED_CACHE_SIZE,
      threads: value.LAKEHOUSE_EMBED_THREADS,
      deadlineMs: value.LAKEHOUSE_EMBED_DEADLINE_MS,
      ollamaHost: value.OLLAMA_HOST,
      ollamaModel: value.LAKEHOUSE_OLLAMA_MODEL,
    },
    gateway: {
      host: value.LAKEHOUSE_GATEWAY_HOST,
      port: value.LAKEHOUSE_GATEWAY_PORT,
      token: value.LAKEHOUSE_TOKEN,
      secondaryTokens: value.LAKEHOUSE_SECONDARY_TOKENS,
      bodyBytesMax: value.LAKEHOUSE_BODY_BYTES_MAX,
      bodiesBytesMax: value.LAKEHOUSE_BODIES_BYTES_MAX,
      searchDeadlineMs: value.LAKEHOUSE_SEARCH_DEADLINE_MS,
      waitDeadlineMs: value.LAKEHOUSE_WAIT_DEADLINE_MS,
      requestsWaitingMax: value.LAKEHOUSE_REQUESTS_WAITING_MAX,
      backlogMax: value.LAKEHOUSE_BACKLOG_MAX,
      requestLog: value.LAKEHOUSE_REQUEST_LOG,
      corsOrigins: value.LAKEHOUSE_CORS_ORIGINS,
      allowedNetworks: value.LAKEHOUSE_ALLOWED_NETWORKS,
      rateLimit: { requests: value.LAKEHOUSE_RATE_LIMIT, windowMs: value.LAKEHOUSE_RATE_LIMIT_WINDOW_MS },
      tlsFiles: both('LAKEHOUSE_TLS_CERT_FILE', 'LAKEHOUSE_TLS_KEY_FILE', value),
    },
    index: {
      snapshotIntervalMs: value.LAKEHOUSE_SNAPSHOT_INTERVAL_MS,
      snapshotsKept: value.LAKEHOUSE_SNAPSHOTS_KEPT,
      searchLog: value.LAKEHOUSE_SEARCH_LOG,
      searchLogSample: value.LAKEHOUSE_SEARCH_LOG_SAMPLE,
      recallTarget: value.LAKEHOUSE_RECALL_TARGET,
      judgeUrls: value.LAKEHOUSE_JUDGE_URLS,
      retrieval: value.LAKEHOUSE_RETRIEVAL,
      hybrid: {
        method: value.LAKEHOUSE_HYBRID_FUSION,
        vectorWeight: value.LAKEHOUSE_HYBRID_VECTOR_WEIGHT,
        lexicalWeight: value.LAKEHOUSE_HYBRID_LEXICAL_WEIGHT,
        rankConstant: value.LAKEHOUSE_HYBRID_RANK_CONSTANT,
        candidates: value.LAKEHOUSE_HYBRID_CANDIDATES,
      },
    },
    replay: {
      localModel: value.LAKEHOUSE_REPLAY_LOCAL_MODEL,
      escalationModel: value.LAKEHOUSE_REPLAY_ESCALATION_MODEL,
    },
    downgrade: {
      forceFullEnrichment: value.LH_FORCE_FULL_ENRICHMENT,
      weakModels: value.LAKEHOUSE_WEAK_MODELS,
    },
    objectStore: objectStoreOf(value),
  };
}

/** As OpenTelemetry has it: the address for traces as it is, the one for everything with their path behind. */
function tracesUrlOf(all: string | undefined, ofTraces: string | undefined): string | undefined {
  return ofTraces ?? (all === undefined ? undefined : `${all.replace(/\/+$/, '')}/v1/traces`);
}

type FileVariables = Pick<
  z.output<typeof environmentSchema>,
  | 'LAKEHOUSE_TLS_CERT_FILE'
  | 'LAKEHOUSE_TLS_KEY_FILE'
  | 'LAKEHOUSE_NATS_CA_FILE'
  | 'LAKEHOUSE_NATS_CERT_FILE'
  | 'LAKEHOUSE_NATS_KEY_FILE'
>;

/** A certificate and its key: each is nothing without the other. */
function both(
  certName: keyof FileVariables,
  keyName: keyof FileVariables,
  value: FileVariables,
): { cert: string; key: string } | undefined {
  const { [certName]: cert, [keyName]: key } = value;
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  throw new ConfigurationError(
    `${cert === undefined ? certName : keyName}: is missing; ${certName} and ${keyName} go together`,
  );
}

function natsTls(value: FileVariables): NatsTls | undefined {
  const own = both('LAKEHOUSE_NATS_CERT_FILE', 'LAKEHOUSE_NATS_KEY_FILE', value);
  const { LAKEHOUSE_NATS_CA_FILE: caFile } = value;
  if (caFile === undefined && own === undefined) return undefined;
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(own === undefined ? {} : { certFile: own.cert, keyFile: own.key }),
  };
}

/** `LAKEHOUSE_STREAM_BYTES_<STREAM>` raises or lowers the byte limit of one stream. */
function readStreamBytes(environment: Record<string, string | undefined>): Partial<Record<StreamName, number>> {
  const bytes: Partial<Record<StreamName, number>> = {};
  for (const name of streamNames) {
    const text = environment[`LAKEHOUSE_STREAM_BYTES_${name}`];
    if (text === undefined) continue;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1024 * 1024)
      throw new ConfigurationError(`LAKEHOUSE_STREAM_BYTES_${name}: must be a number of bytes, at least 1048576`);
    bytes[name] = value;
  }
  return bytes;
}
