import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { locateServer } from '../../streams/server/locate.ts';
import { formatServerVersion } from '../../streams/server/version.ts';
import { benchMain } from '../bench/command.ts';
import { projectDirectory } from '../bench/project.ts';
import type { Findings } from '../bench/report.ts';
import { readSurroundings } from '../bench/surroundings.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { startRadosGateway } from './rados-gateway.ts';

const script = 'dist/scripts/s3/main.js';
const testBucket = 'lakehouse-test';

/** Of vitest's JSON report what is needed here. */
const testReportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string(), duration: z.number().nullish() })),
    }),
  ),
});
type TestReport = z.output<typeof testReportSchema>;

interface Service extends AsyncDisposable {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** The service that the environment names, else Ceph's gateway, started for this run. */
async function openService(): Promise<Service> {
  const endpoint = process.env.S3_ENDPOINT;
  if (endpoint !== undefined && endpoint !== '')
    return { name: `the service of S3_ENDPOINT`, environment: {}, [Symbol.asyncDispose]: async () => undefined };
  const gateway = await startRadosGateway();
  return {
    name: `Ceph RadosGW on loopback, one monitor, one object store in memory: ${gateway.version}`,
    environment: {
      S3_ENDPOINT: gateway.endpoint,
      S3_BUCKET: testBucket,
      AWS_ACCESS_KEY_ID: gateway.accessKeyId,
      AWS_SECRET_ACCESS_KEY: gateway.secretAccessKey,
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

async function runTests(environment: Readonly<Record<string, string>>): Promise<TestReport> {
  const root = projectDirectory();
  const folder = await mkdtemp(join(tmpdir(), 'lakehouse-s3-'));
  try {
    const file = join(folder, 'report.json');
    const vitest = join(root, 'node_modules', '.bin', 'vitest');
    const parameters = ['run', '--config', 'vitest.s3.config.ts', '--reporter=default', '--reporter=json'];
    const child = spawn(vitest, [...parameters, `--outputFile.json=${file}`], {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: ['ignore', process.stderr.fd, process.stderr.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return testReportSchema.parse(JSON.parse(text));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  throw new CommandError(exitCodes.failed, {
    happened: 'the tests ended without a report',
    means: 'Nothing was proved.',
    remedy: 'See what they wrote above.',
  });
}

function findingsOf(service: string, report: TestReport, sdkVersion: string): Findings {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  // A file that could not be loaded has failed without a test that did.
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'),
  ).length;
  return {
    benchmark: 's3',
    method: `The object store against a real S3 service (${service}): what every store has to do, faults on the way, snapshots, backup and restore.`,
    settings: { service, 'aws-sdk client-s3': sdkVersion, tests: tests.length },
    seed: 0,
    tables: [
      {
        title: 'Tests',
        columns: [{ title: 'test' }, { title: 'result' }, { title: 'ms', right: true }],
        rows: tests.map(({ fullName, status, duration }) => [fullName, status, String(Math.round(duration ?? 0))]),
      },
    ],
    checks: [
      { name: 'tests passed', value: passed, bar: Math.max(1, tests.length), comparison: 'at least' },
      { name: 'files that could not be run', value: broken, bar: 0, comparison: 'at most' },
    ],
    notes: [
      'Times are of a service in memory on the same two cores: they tell that nothing hangs, not how fast a store is.',
    ],
    results: { tests },
  };
}

await benchMain({
  name: 'test:s3',
  script,
  summary: 'Tests the object store against a real S3 service, and writes what came of it.',
  flags: {},
  reports: 'reports/storage',
  async run({ argv, note }) {
    const server = await locateServer();
    const surroundings = readSurroundings(script, argv, formatServerVersion(server.version));
    note('starting the S3 service ...');
    await using service = await openService();
    note(service.name);
    const report = await runTests(service.environment);
    return { findings: findingsOf(service.name, report, await sdkVersion()), surroundings };
  },
});

async function sdkVersion(): Promise<string> {
  const path = join(projectDirectory(), 'node_modules', '@aws-sdk', 'client-s3', 'package.json');
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(path, 'utf8'))).version;
}
