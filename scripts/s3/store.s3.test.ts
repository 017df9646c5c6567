import { describeObjectStore } from '../../streams/testing/object-store-conformance.ts';
import { closeTestBucket, openTestBucket } from './testing.ts';

describeObjectStore('a bucket of S3', async () => {
  const { store } = await openTestBucket();
  return { store, close: () => closeTestBucket(store) };
});
