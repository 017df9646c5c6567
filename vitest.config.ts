import { defineConfig } from 'vitest/config';

const common = { environment: 'node' as const, passWithNoTests: false };

/** Compiles the sources where they changed: tests that start processes start what is compiled. */
const globalSetup = ['./scripts/build.mjs'];

/** Unit tests share workers; tests that start servers get longer deadlines and run in their own processes. */
export default defineConfig({
  test: {
    // Most of them wait for servers and processes more than they compute: two at a time keep two cores busy.
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['**/*.unit.test.ts'],
          exclude: ['node_modules', 'dist'],
          // A deadline is for what hangs: a machine that is busy is no fault of a test.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...common,
          name: 'integration',
          globalSetup,
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
          globalSetup,
          include: ['**/*.chaos.test.ts'],
          exclude: ['node_modules', 'dist'],
          pool: 'forks',
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
