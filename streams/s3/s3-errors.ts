import { NoSuchKey, S3ServiceException } from '@aws-sdk/client-s3';
import { ObjectStoreError, type ObjectStoreFault } from '../object-store.ts';

/** Whether the service said that the object (not the bucket) is not there. */
export function isMissingObject(error: unknown): boolean {
  return error instanceof NoSuchKey || codeOf(error) === 'NoSuchKey';
}

/** A range that an object has not: all of an empty one. */
export function isEmptyRange(error: unknown): boolean {
  return codeOf(error) === 'InvalidRange' || statusOf(error) === 416;
}

const remedies: Readonly<Record<ObjectStoreFault, string>> = {
  no_bucket: 'make the bucket, or let "lakehouse provision" make it, and see S3_BUCKET and S3_ENDPOINT',
  denied: 'see the AWS_* credentials, and what they are allowed in S3_BUCKET',
  full: 'make room at the service, or raise the quota',
  changed: 'read it again',
  unavailable: 'it is tried again later; see S3_ENDPOINT if it stays so',
};

/**
 * What went wrong, without the request that it went wrong with: an error of the client library could bring headers into
 * logs.
 * @param secrets left out of what the service says: S3 repeats a token that it does not know
 */
export function storeError(what: string, error: unknown, secrets: readonly string[] = []): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error;
  const fault = faultOf(error);
  const said = error instanceof Error ? (error.message === '' ? error.name : error.message) : String(error);
  const told = secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), said);
  const code = codeOf(error);
  const named = code === undefined || code === told ? told : `${code}: ${told}`;
  return new ObjectStoreError(fault, `the object store could not ${what} (${named}); ${remedies[fault]}`);
}

function faultOf(error: unknown): ObjectStoreFault {
  const code = codeOf(error);
  const status = statusOf(error);
  if (code === 'NoSuchBucket') return 'no_bucket';
  if (code === 'QuotaExceeded' || code === 'EntityTooLarge' || status === 507) return 'full';
  if (status === 401 || status === 403) return 'denied';
  return 'unavailable';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof S3ServiceException ? error.name : undefined;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
