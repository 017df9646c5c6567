import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayClient } from '../../gateway/client/client.ts';
import { defaultPlaybookCorpus } from '../../schemas/events/playbook.ts';
import { systemClock } from '../../streams/clock.ts';
import { command } from '../command/define.ts';
import { CommandError } from '../command/errors.ts';
import { dataDirectoryOf, gatewayArguments, openGateway } from '../command/gateway.ts';
import type { Output } from '../command/output.ts';
import { lakehouseScript } from '../command/paths.ts';
import { demoCorpus, type StoryReport, tellStory } from '../demo/story.ts';
import { exitCodes } from '../exit-codes.ts';
import { formatDuration } from '../progress.ts';
import { readStack } from '../stack/running.ts';
import { startStack } from '../stack/start.ts';

export default command({
  summary: 'Shows the whole story on a running system, or on a fresh one that it starts and stops itself.',
  examples: ['demo', 'demo --json', 'demo --gateway http://127.0.0.1:3110 --data-dir data'],
  args: gatewayArguments,
  async run({ args, output }) {
    const { report, stage } = await perform(args, output);
    output.answer({ ...report, fresh: stage.fresh, elapsed_ms: Math.round(performance.now()) }, closing(report, stage));
    return report.holds ? exitCodes.done : exitCodes.failed;
  },
});

/** The story, from opening the stage to closing it. */
async function perform(flags: Flags, output: Output): Promise<{ report: StoryReport; stage: Stage }> {
  await using stage = await openStage(flags, output);
  const report = await tellStory({
    client: stage.client,
    playbookCorpus: stage.playbookCorpus,
    say: output.say,
    clock: systemClock,
    sinceStartMs: () => performance.now(),
    rebuild: () => rebuild(stage, output),
  });
  stage.keepWhen(!report.holds);
  return { report, stage };
}

interface Stage extends AsyncDisposable {
  readonly client: GatewayClient;
  readonly dataDirectory: string;
  readonly playbookCorpus: string;
  /** Whether this command started it. */
  readonly fresh: boolean;
  /** Leaves the data directory of a fresh stage where it is, with its log files. */
  keepWhen(isKept: boolean): void;
}

type Flags = { readonly gateway?: string | undefined; readonly 'data-dir'?: string | undefined };

/** The stack that flags name or that runs already; else a fresh one, in the directory that is named or a temporary one. */
async function openStage(flags: Flags, output: Output): Promise<Stage> {
  const dataDirectory = dataDirectoryOf(flags['data-dir'], process.env);
  const named = flags.gateway ?? process.env.LAKEHOUSE_GATEWAY_URL;
  if (named !== undefined || readStack(dataDirectory) !== undefined) {
    const client = await openGateway(flags);
    output.say(`On the system that runs at ${client.url}.`);
    const running = { client, dataDirectory, playbookCorpus: 'demo_playbooks', fresh: false };
    return { ...running, keepWhen: () => {}, [Symbol.asyncDispose]: async () => {} };
  }
  return freshStage(flags['data-dir'], output);
}

async function freshStage(directory: string | undefined, output: Output): Promise<Stage> {
  const dataDirectory = directory ?? (await mkdtemp(join(tmpdir(), 'lakehouse-demo-')));
  let kept = directory !== undefined;
  output.say('Nothing runs yet: starting nats-server, the workers and the gateway for this demo.');
  const stack = await startStack({
    dataDirectory,
    gatewayPort: 0,
    natsPort: 0,
    instances: { ingest: 1, embed: 1, index: 1 },
    environment: {},
    report: output.note,
  });
  output.say(`Everything is ready after ${formatDuration(performance.now())}.`);
  return {
    client: await openGateway({ gateway: stack.record.gateway_url }),
    dataDirectory,
    playbookCorpus: defaultPlaybookCorpus,
    fresh: true,
    keepWhen: (isKept) => {
      kept ||= isKept;
    },
    [Symbol.asyncDispose]: async () => {
      await stack.stop();
      if (kept) output.note(`The data directory with all log files stays: ${dataDirectory}`);
      else await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

/** The command itself, as a person would call it. */
async function rebuild({ dataDirectory, client }: Stage, output: Output): Promise<number> {
  const parameters = ['rebuild', '--corpus', demoCorpus, '--compare', '--data-dir', dataDirectory];
  output.say(`   lakehouse ${parameters.slice(0, 4).join(' ')}`);
  const child = spawn(process.execPath, [lakehouseScript(), ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LAKEHOUSE_GATEWAY_URL: client.url },
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.trimEnd().split('\n')) output.say(`   | ${line}`);
  });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(rebuildFailed(error)));
    child.once('close', (code) => resolve(code ?? exitCodes.failed));
  });
}

function rebuildFailed(error: Error): CommandError {
  return new CommandError(exitCodes.failed, {
    happened: `the rebuild could not be started: ${error.message}`,
    means: 'The rest of the demo was shown; the rebuild was not.',
    remedy: 'Run "npm run build", and try again.',
  });
}

function closing(report: StoryReport, stage: Stage): string {
  const broken = report.claims.filter(({ holds }) => !holds);
  if (broken.length > 0) {
    const lines = broken.map(({ claim, seen }) => `  ${claim}: ${seen}`);
    return `\n${broken.length} of ${report.claims.length} claims did NOT hold:\n${lines.join('\n')}`;
  }
  const retract = `npm run -s lakehouse -- retract ${report.playbook_id} --playbook-corpus ${stage.playbookCorpus}`;
  return [
    `\nAll ${report.claims.length} claims hold. First search answer ${formatDuration(report.first_answer_ms)} after the start.`,
    '',
    'What to try next:',
    ...(stage.fresh
      ? ['  npm run up                       start it to stay (Ctrl-C stops it); then in another terminal:']
      : []),
    '  npm run seed -- --count 5000 --wait',
    '  npm run search -- "night shift packer who can drive a reach truck"',
    '  npm run status',
    ...(stage.fresh ? [] : [`  ${retract}`]),
    '  npm run -s lakehouse -- --help',
  ].join('\n');
}
