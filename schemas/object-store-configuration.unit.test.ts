import { describe, expect, it } from 'vitest';
import { ConfigurationError, readConfiguration } from './configuration.ts';

const bucket = {
  LAKEHOUSE_OBJECT_STORE: 's3',
  S3_BUCKET: 'lakehouse',
  AWS_ACCESS_KEY_ID: 'key',
  AWS_SECRET_ACCESS_KEY_FILE: '/run/secrets/s3',
};

describe('the object store', () => {
  it('is a directory unless it is told otherwise', () => {
    expect(readConfiguration({}).objectStore).toEqual({ kind: 'local' });
    expect(readConfiguration({ ...bucket, LAKEHOUSE_OBJECT_STORE: '' }).objectStore).toEqual({ kind: 'local' });
  });

  it('is a bucket, whose keys come from the environment or from files', () => {
    expect(
      readConfiguration({ ...bucket, S3_ENDPOINT: 'http://127.0.0.1:8333', S3_PREFIX: 'a/b' }).objectStore,
    ).toEqual({
      kind: 's3',
      endpoint: 'http://127.0.0.1:8333',
      bucket: 'lakehouse',
      region: 'us-east-1',
      prefix: 'a/b',
      forcePathStyle: true,
      credentials: {
        accessKeyId: { value: 'key' },
        secretAccessKey: { file: '/run/secrets/s3' },
        sessionToken: undefined,
      },
    });
  });

  it.each([
    ['no bucket', { S3_BUCKET: '' }, 'S3_BUCKET'],
    ['no key', { AWS_ACCESS_KEY_ID: '' }, 'AWS_ACCESS_KEY_ID or AWS_ACCESS_KEY_ID_FILE'],
    ['a key twice', { AWS_SECRET_ACCESS_KEY: 'hidden' }, 'AWS_SECRET_ACCESS_KEY_FILE'],
    ['an address that is none', { S3_ENDPOINT: 'localhost:8333' }, 'S3_ENDPOINT'],
    ['a prefix that leads elsewhere', { S3_PREFIX: '../other' }, 'S3_PREFIX'],
    ['a bucket that is none', { S3_BUCKET: 'Big Bucket' }, 'S3_BUCKET'],
  ])('with %s is refused, and no key is told', (_, changed, named) => {
    const read = () => readConfiguration({ ...bucket, ...changed });
    expect(read).toThrow(ConfigurationError);
    expect(read).toThrow(named);
    expect(read).not.toThrow('hidden');
  });
});
