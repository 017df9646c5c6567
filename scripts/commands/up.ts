import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../streams/clock.ts';
import { numberFlag, numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { CommandError, usageError } from '../command/errors.ts';
import { dataDirArgument, dataDirectoryOf } from '../command/gateway.ts';
import type { Output } from '../command/output.ts';
import { lakehouseScript } from '../command/paths.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { formatDuration } from '../progress.ts';
import { chooseNodes, nodeCounts } from '../stack/nodes.ts';
import { instancesMax } from '../stack/plan.ts';
import { readStack, type StackRecord } from '../stack/running.ts';
import { startStack } from '../stack/start.ts';

const portRange = { min: 0, max: 65_535 };
const instanceRange = { min: 1, max: instancesMax };
const detachPollMs = 100;

export default command({
  summary: 'Runs everything on this machine: nats-server, all workers and the gateway. Ctrl-C stops it.',
  examples: ['up', 'up --data-dir /var/lib/lakehouse --port 4110', 'up --detach', 'up --nodes 3'],
  args: {
    ...dataDirArgument,
    port: {
      type: 'string',
      description: 'Port of the gateway (LAKEHOUSE_GATEWAY_PORT, else 3110); 0 is any free one.',
    },
    'nats-port': { type: 'string', default: '4222', description: 'Port of nats-server; 0 is any free one.' },
    nodes: {
      type: 'string',
      description:
        'nats-servers that keep every stream each, 1, 3 or 5 (as many as the data directory has, else 1); with more than one there are two gateways and two index workers.',
    },
    gateways: { type: 'string', description: 'Processes that answer HTTP (1, or 2), on ports one after another.' },
    'index-workers': { type: 'string', description: 'Processes that search (1, or 2); more add capacity.' },
    'ingest-workers': { type: 'string', default: '1', description: 'Processes that take documents in.' },
    'embed-workers': { type: 'string', default: '1', description: 'Processes that make vectors of texts.' },
    embedder: {
      type: 'enum',
      options: ['minilm', 'ollama'],
      description: 'What makes vectors (LAKEHOUSE_EMBEDDER, else minilm, which needs nothing else).',
    },
    detach: { type: 'boolean', description: 'Return when all is ready and leave it running; "stop" ends it.' },
    quiet: { type: 'boolean', description: 'Write the logs of the processes to their files only.' },
  },
  async run({ args, output, rawArguments }) {
    const dataDirectory = dataDirectoryOf(args['data-dir'], process.env);
    if (args.detach === true) return detach(dataDirectory, rawArguments, output);
    const nodes = chooseNodes(dataDirectory, readNodes(args.nodes));
    const several = nodes === 1 ? '1' : '2';
    const stack = await startStack({
      dataDirectory,
      gatewayPort: numberOf('port', args.port ?? process.env.LAKEHOUSE_GATEWAY_PORT ?? '3110', portRange),
      natsPort: numberOf('nats-port', args['nats-port'], portRange),
      nodes,
      gateways: numberOf('gateways', args.gateways ?? several, instanceRange),
      instances: {
        index: numberOf('index-workers', args['index-workers'] ?? several, instanceRange),
        ingest: numberOf('ingest-workers', args['ingest-workers'], instanceRange),
        embed: numberOf('embed-workers', args['embed-workers'], instanceRange),
      },
      environment: args.embedder === undefined ? {} : { LAKEHOUSE_EMBEDDER: args.embedder },
      report: output.note,
      ...(args.quiet === true ? {} : { onLogLine: output.note }),
    });
    output.answer(stack.record, welcome(stack.record, dataDirectory, 'Ctrl-C'));
    const exitCode = await stack.ended;
    output.note(exitCode === 0 ? 'Stopped.' : 'Stopped, because a process could not be kept up (see above).');
    return exitCode === 0 ? exitCodes.done : exitCodes.failed;
  },
});

function readNodes(text: string | undefined): number | undefined {
  const nodes = numberFlag('nodes', text, { min: 1, max: 5 });
  if (nodes === undefined || nodeCounts.some((count) => count === nodes)) return nodes;
  throw usageError(`--nodes ${nodes} would stop as soon as one of them does`, `Give one of ${nodeCounts.join(', ')}.`);
}

/** Starts this command again, apart from the terminal, and waits until everything is ready. */
async function detach(dataDirectory: string, rawArguments: readonly string[], output: Output): Promise<ExitCode> {
  const logFile = join(dataDirectory, 'logs', 'up.log');
  await mkdir(join(dataDirectory, 'logs'), { recursive: true });
  const log = await open(logFile, 'w', 0o600);
  const parameters = rawArguments.filter((argument) => argument !== '--detach' && argument !== '--json');
  const child = spawn(process.execPath, [lakehouseScript(), 'up', '--quiet', ...parameters], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  let exitCode: number | undefined;
  child.once('exit', (code) => {
    exitCode = code ?? exitCodes.failed;
  });
  while (exitCode === undefined) {
    const record = readStack(dataDirectory);
    if (record !== undefined && record.pid === child.pid && (await isReady(record))) {
      child.unref();
      await log.close();
      output.answer(record, welcome(record, dataDirectory));
      return exitCodes.done;
    }
    await delay(detachPollMs);
  }
  await log.close();
  throw await detachedFailure(logFile, exitCode);
}

/** The gateway is ready when the log and an index answer it; then every process has been started. */
async function isReady(record: StackRecord): Promise<boolean> {
  const answers = record.processes.map(async ({ health_url }) => {
    if (health_url === null) return true;
    return fetch(`${health_url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  });
  return record.processes.length > 0 && (await Promise.all(answers)).every((answered) => answered);
}

async function detachedFailure(logFile: string, exitCode: number): Promise<CommandError> {
  const known = Object.values(exitCodes).find((code) => code === exitCode && code !== exitCodes.done);
  return new CommandError(known ?? exitCodes.failed, {
    happened: `it ended with exit code ${exitCode} before it was ready`,
    means: 'Nothing is left running.',
    remedy: `See the end of ${logFile}: it says why.`,
  });
}

/** Where it answers, how to publish, how to search, how to stop. */
export function welcome(record: StackRecord, dataDirectory: string, stopWith?: string): string {
  const { gateway_url, gateway_urls, nats_url, processes, started_at } = record;
  // Commands look where the environment or the default says, unless they are told.
  const flag =
    resolve(dataDirectory) === resolve(dataDirectoryOf(undefined, process.env)) ? '' : ` --data-dir ${dataDirectory}`;
  const run = (command: string) => (flag === '' ? `npm run ${command}` : `npm run ${command} --${flag}`);
  const took = formatDuration(systemClock.nowMs() - Date.parse(started_at));
  return [
    '',
    `Ready after ${took}: ${processes.length} processes.`,
    `  gateway   ${gateway_urls.join(', ')}`,
    `  log       ${nats_url}`,
    `  data      ${dataDirectory} (log files in ${join(dataDirectory, 'logs')})`,
    `Publish:    ${run('seed')}`,
    `            nats pub -s ${nats_url} ingest.workers '{"id":"w-1","text":"Forklift operator"}'`,
    `            curl -H 'content-type: application/json' -d '{"id":"w-1","text":"Forklift operator"}' ${gateway_url}/v1/ingest/workers`,
    `Search:     npm run search --${flag} "Need 3 Forklift Operators in Aurora IL"`,
    `Look:       ${run('status')}`,
    `Stop:       ${stopWith ?? run('stop')}`,
    '',
  ].join('\n');
}
