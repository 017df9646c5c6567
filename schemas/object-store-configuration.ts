import { z } from 'zod';
import { ConfigurationError } from './configuration-error.ts';

/** The variables of the environment that say where snapshots and backups lie. */
export const objectStoreVariables = {
  LAKEHOUSE_OBJECT_STORE: z.enum(['local', 's3']).default('local'),
  // S3 settings and credentials have the names that its other programs know them by.
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket has 3 to 63 of a-z, 0-9, "." and "-"')
    .optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/, 'a prefix is words of A-Z, a-z, 0-9, "_" and "-" between slashes')
    .optional(),
  S3_FORCE_PATH_STYLE: z.stringbool({ truthy: ['1', 'true'], falsy: ['0', 'false'] }).default(true),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_ACCESS_KEY_ID_FILE: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  AWS_SECRET_ACCESS_KEY_FILE: z.string().optional(),
  AWS_SESSION_TOKEN: z.string().optional(),
  AWS_SESSION_TOKEN_FILE: z.string().optional(),
};
const valuesSchema = z.object(objectStoreVariables);
type Values = z.output<typeof valuesSchema>;

/** A secret as it was given: itself, or the file that it lies in, whose last line feed does not count. */
export type SecretSource = { readonly value: string } | { readonly file: string };

/** Where snapshots and backups are kept. */
export type ObjectStoreConfiguration =
  | { readonly kind: 'local' }
  | {
      readonly kind: 's3';
      /** Undefined: that of AWS in the region. */
      readonly endpoint: string | undefined;
      readonly bucket: string;
      readonly region: string;
      /** Before every key, with a slash in between; empty for none. */
      readonly prefix: string;
      readonly forcePathStyle: boolean;
      readonly credentials: {
        readonly accessKeyId: SecretSource;
        readonly secretAccessKey: SecretSource;
        readonly sessionToken: SecretSource | undefined;
      };
    };

/** @throws ConfigurationError naming what a bucket needs and was not given */
export function objectStoreOf(value: Values): ObjectStoreConfiguration {
  if (value.LAKEHOUSE_OBJECT_STORE === 'local') return { kind: 'local' };
  const bucket = value.S3_BUCKET;
  const accessKeyId = secretOf(value, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = secretOf(value, 'AWS_SECRET_ACCESS_KEY');
  if (bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    const missing = [
      ...(bucket === undefined ? ['S3_BUCKET'] : []),
      ...(accessKeyId === undefined ? ['AWS_ACCESS_KEY_ID or AWS_ACCESS_KEY_ID_FILE'] : []),
      ...(secretAccessKey === undefined ? ['AWS_SECRET_ACCESS_KEY or AWS_SECRET_ACCESS_KEY_FILE'] : []),
    ];
    throw new ConfigurationError(`LAKEHOUSE_OBJECT_STORE=s3 needs ${missing.join(', ')} as well`);
  }
  return {
    kind: 's3',
    endpoint: value.S3_ENDPOINT,
    bucket,
    region: value.S3_REGION,
    prefix: value.S3_PREFIX ?? '',
    forcePathStyle: value.S3_FORCE_PATH_STYLE,
    credentials: { accessKeyId, secretAccessKey, sessionToken: secretOf(value, 'AWS_SESSION_TOKEN') },
  };
}

function secretOf(
  value: Values,
  name: 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY' | 'AWS_SESSION_TOKEN',
): SecretSource | undefined {
  const [secret, file] = [value[name], value[`${name}_FILE`]];
  if (secret !== undefined && file !== undefined)
    throw new ConfigurationError(`${name}: given itself and as ${name}_FILE; leave one of them out`);
  if (secret !== undefined) return { value: secret };
  return file === undefined ? undefined : { file };
}
