import { hostname } from 'node:os';
import { readConfiguration } from '../../schemas/configuration.ts';
import { formatPosition, type Position, positionHeader } from '../../schemas/position.ts';
import type { Problem } from '../../schemas/problems.ts';
import { ProblemError } from '../../schemas/problems.ts';
import { type DigestReply, digestReplySchema } from '../../schemas/requests/index.ts';
import { formatSpace } from '../../schemas/space.ts';
import { systemClock } from '../../streams/clock.ts';
import { connectLog } from '../../streams/connection.ts';
import { createLogger } from '../../streams/logging.ts';
import { openObjectStore } from '../../streams/open-object-store.ts';
import { createServiceClient, type ServiceClient } from '../../streams/service-client.ts';
import { createEmbedQueries } from '../query-vectors/embed-query.ts';
import { rebuildIndex } from './rebuild.ts';
import { dropSpace, reembed } from './reembed.ts';
import { type Task, type TaskMessage, taskSchema } from './task.ts';
import { verify } from './verify.ts';

const digestDeadlineMs = 120_000;
const holder = `process ${process.pid} on ${hostname()}`;

const say = (message: TaskMessage) => process.stdout.write(`${JSON.stringify(message)}\n`);

async function liveDigests(
  client: ServiceClient,
  corpus: string | undefined,
  position: Position,
): Promise<DigestReply> {
  const body = Buffer.from(JSON.stringify(corpus === undefined ? {} : { corpus }));
  const reply = await client.request('svc.index.digest', body, {
    deadlineMs: digestDeadlineMs,
    headers: { [positionHeader]: formatPosition(position) },
  });
  const answer: unknown = JSON.parse(Buffer.from(reply.body).toString('utf8'));
  if (reply.status === 200) return digestReplySchema.parse(answer);
  const { code, detail } = answer as Problem;
  throw new ProblemError(code, detail);
}

async function run(task: Task): Promise<void> {
  const configuration = readConfiguration(process.env);
  // Standard output is for messages: what a run logs goes where a person reads it.
  const log = createLogger('rebuild', configuration.logLevel, process.stderr);
  const connection = await connectLog({ ...configuration.nats, name: 'lakehouse-rebuild', clock: systemClock });
  const client = createServiceClient(connection);
  try {
    if (task.task === 'verify') {
      const report = await verify(
        {
          connection,
          log,
          configuredSpace: configuration.embedder.space,
          liveDigests: (position) => liveDigests(client, undefined, position),
          onStep: (step) => say({ say: 'progress', step, done: 0, total: 0 }),
        },
        task.settleDeadlineMs,
      );
      say({ say: 'verified', report });
      return;
    }
    if (task.task === 'drop-space') {
      await dropSpace(task.corpus, task.space, { connection, log, holder });
      say({ say: 'dropped', corpus: task.corpus, space: task.space });
      return;
    }
    if (task.task === 'reembed') {
      const { space, beside } = configuration.embedder;
      const run = await reembed(task, {
        connection,
        log,
        configuredSpace: formatSpace(space),
        holder,
        offered: [space, ...beside.map((model) => model.space)],
        embedQueries: createEmbedQueries(client),
        onProgress: (progress) => say({ say: 'progress', ...progress }),
      });
      say({ say: 'reembedded', run });
      return;
    }
    const { corpus, kind, compare, force, side } = task;
    const past = side?.asOfMs === undefined ? { untilSequence: side?.untilSequence ?? 0 } : { asOfMs: side.asOfMs };
    const runs = await rebuildIndex(
      { corpus, kind, compare, force, side: side === null ? null : { name: side.name, past } },
      {
        connection,
        log,
        store: await openObjectStore(configuration, systemClock),
        configuredSpace: formatSpace(configuration.embedder.space),
        holder,
        liveDigests: (name) =>
          liveDigests(client, name, {}).catch((error: unknown) => {
            if (error instanceof ProblemError && error.problem.code === 'unavailable') return undefined;
            throw error;
          }),
        onProgress: (progress) => say({ say: 'progress', ...progress }),
      },
    );
    say({ say: 'rebuilt', runs });
  } finally {
    client.close();
    await connection.drain();
  }
}

try {
  await run(taskSchema.parse(JSON.parse(process.argv[2] ?? 'null')));
} catch (error) {
  say({ say: 'failed', message: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}
