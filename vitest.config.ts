import { defineConfig } from 'vitest/config';

const common = { environment: 'node' as const, passWithNoTests: false };

/** Unit tests share workers; tests that start servers get longer deadlines and run in their own processes. */
export default defineConfig({
  test: {
    projects: [
      { test: { ...common, name: 'unit', include: ['**/*.unit.test.ts'], exclude: ['node_modules', 'dist'] } },
      {
        test: {
          ...common,
          name: 'integration',
          include: ['**/*.int.test.ts'],
          exclude: ['node_modules', 'dist'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: 'chaos',
          include: ['**/*.chaos.test.ts'],
          exclude: ['node_modules', 'dist'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
