import pino, { type DestinationStream, type Logger } from 'pino';

export const logLimits = {
  /** Lines gather up to so many bytes (less than the 16 KiB that are written at once), or so long, and are written together, without holding up whoever logged. */
  gatherBytes: 8 * 1024,
  flushEveryMs: 100,
  /** What waits for a reader that does not read; beyond it lines are let go. */
  waitingBytesMax: 16 * 1024 * 1024,
} as const;

/** Redacted wherever it would be logged. */
const secretNames = [
  'password',
  'pass',
  'token',
  'authorization',
  'cookie',
  'secret',
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'credentials',
];
const secretPaths = [...secretNames, ...secretNames.map((name) => `*.${name}`), 'headers.authorization'];
const censor = '[secret]';

/** Standard output, written to in the background; what is left is written when the process ends. */
export function standardOutput(): DestinationStream {
  return pino.destination({
    dest: 1,
    sync: false,
    minLength: logLimits.gatherBytes,
    periodicFlush: logLimits.flushEveryMs,
    maxLength: logLimits.waitingBytesMax,
  });
}

/** A logger that keeps secrets out of its lines: by the names of fields, and out of the words of errors. */
export function createLogger(name: string, level: string, to: DestinationStream = standardOutput()): Logger {
  // Errors are logged as `error`: without a serializer of their own they would be written as {}.
  const serializers = { error: writtenError };
  return pino({ name, level, serializers, redact: { paths: secretPaths, censor } }, to);
}

function writtenError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? withoutSecrets(error) : error;
  const written = pino.stdSerializers.err(error);
  return { ...written, message: withoutSecrets(written.message), stack: withoutSecrets(written.stack) };
}

/** A text without the credentials of addresses (`nats://user:password@host`) and without bearer tokens. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/\/\/[^\s/@]+@/g, `//${censor}@`)
    .replace(/\b(bearer|basic) +[\w.~+/=-]+/gi, (_, scheme: string) => `${scheme} ${censor}`);
}
