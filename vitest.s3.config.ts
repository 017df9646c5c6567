import { defineConfig } from 'vitest/config';

/** Tests against a real S3 service, which `npm run test:s3` starts: never part of `npm test`. */
export default defineConfig({
  test: {
    name: 's3',
    environment: 'node',
    globalSetup: ['./scripts/build.mjs'],
    include: ['**/*.s3.test.ts'],
    exclude: ['node_modules', 'dist'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
