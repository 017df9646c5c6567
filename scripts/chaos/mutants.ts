import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { distDirectory } from '../command/paths.ts';

/** One change of one file. */
export interface Edit {
  /** The source, from the project's folder. */
  readonly file: `${string}.ts`;
  /** What is there once, in the source and in what is compiled from it; any white space fits any other. No types. */
  readonly find: string;
  readonly replace: string;
}

/** A guard of the product, broken while its compiled file is loaded: the product itself has no switch for it. */
export interface Mutant extends Edit {
  readonly name: string;
  /** Where one thing is guarded several times. */
  readonly also?: readonly Edit[];
}

export function editsOf({ file, find, replace, also = [] }: Mutant): readonly Edit[] {
  return [{ file, find, replace }, ...also];
}

export const mutants: readonly Mutant[] = [
  {
    name: 'refusal-taken-for-done',
    file: 'streams/append.ts',
    find: "if (!(error instanceof OutageError) || attempt >= publishAttemptsMax || error.code === 'store_full')",
    replace:
      "if (error instanceof OutageError && error.code === 'store_full') return { sequence: 1, duplicate: true }; " +
      'if (!(error instanceof OutageError) || attempt >= publishAttemptsMax)',
  },
  {
    name: 'snapshot-unchecked',
    file: 'workers/corpus-index/snapshot/frames.ts',
    find: "throw new SnapshotFault('the checksum of a frame is wrong');",
    replace: 'void 0;',
    also: [
      {
        file: 'workers/corpus-index/snapshot/read-body.ts',
        find: "throw new SnapshotFault('the body is not what was written');",
        replace: 'void 0;',
      },
      {
        file: 'workers/corpus-index/snapshot/load-snapshot.ts',
        find: 'if (digest !== wanted.digest)',
        replace: 'if (digest === undefined)',
      },
    ],
  },
  {
    name: 'boot-needs-store',
    file: 'workers/index/snapshots.ts',
    find: "log.warn({ error }, 'the snapshots can not be read; the state is folded from the log');",
    replace: 'throw error;',
  },
  {
    name: 'snapshot-failure-kills',
    file: 'workers/index/snapshots.ts',
    find: "log.error({ error }, 'a snapshot could not be taken; the next one tries again')",
    replace: 'process.exit(1)',
  },
  {
    name: 'switch-empties-first',
    file: 'workers/index/switching.ts',
    find: 'for (const entry of loaded.entries) {',
    replace: 'for (const entry of loaded.entries) { catalogue.remove(entry);',
  },
  {
    name: 'switch-misses-tail',
    file: 'workers/index/switching.ts',
    find: 'until: position()',
    replace: 'until: checkpoint',
  },
  {
    name: 'gateway-drops-requests',
    file: 'gateway/server.ts',
    find: 'await gateway.close(); await telemetry.tracing',
    replace: 'process.exit(0); await telemetry.tracing',
  },
  {
    name: 'worker-ends-at-once',
    file: 'streams/process.ts',
    find: 'await running?.stop(drainMs);',
    replace: "process.kill(process.pid, 'SIGKILL');",
  },
  {
    name: 'fold-leaves-out',
    file: 'workers/corpus-index/fold.ts',
    find: 'const { corpus, space, id } = data;',
    replace: 'if (context.sequence % 50 === 0) return undefined; const { corpus, space, id } = data;',
  },
  {
    name: 'reconnect-gives-up',
    file: 'streams/connection.ts',
    find: 'maxReconnectAttempts: -1',
    replace: 'maxReconnectAttempts: 2',
  },
  {
    name: 'no-retry-after',
    file: 'gateway/replies.ts',
    find: "if (status === 503 || status === 504) reply.header('retry-after', retryAfter);",
    replace: '',
  },
  {
    name: 'lost-publish-taken-for-done',
    file: 'streams/append.ts',
    find: 'await connection.clock.sleep(backoffMs(attempt, publishRetryFirstMs, publishRetryMaxMs));',
    replace: 'return { sequence: 1, duplicate: true };',
  },
  {
    name: 'checkpoint-ahead',
    file: 'workers/corpus-index/state.ts',
    find: 'vectors.progress.sequence(), playbooks.progress.sequence()',
    replace: 'vectors.progress.sequence() && vectors.progress.sequence() + 40, playbooks.progress.sequence()',
  },
  {
    name: 'search-skips-nearest',
    file: 'workers/retrieval/retrieve.ts',
    find: 'const hits = found.hits.map(',
    replace: 'const hits = found.hits.slice(1).map(',
  },
  {
    name: 'no-backlog-limit',
    file: 'gateway/ingest/pipeline-watch.ts',
    find: 'if (backlog < backlogMax) return undefined;',
    replace: 'return undefined;',
  },
  {
    name: 'appended-is-kept',
    file: 'gateway/ingest/append-events.ts',
    find: 'from = to;',
    replace: '(globalThis.kept ??= []).push(Buffer.alloc(8 * 1024 * 1024, 1)); from = to;',
  },
  {
    name: 'rejection-lost',
    file: 'streams/work.ts',
    find: "await appendRejected(connection, worker, source, rejection); failpoint('set-aside'); message.term();",
    replace: 'message.term();',
  },
  {
    name: 'zero-vector-taken',
    file: 'schemas/vector.ts',
    find: "return squares > 0 ? undefined : 'vector_zero_norm';",
    replace: 'return undefined;',
  },
  {
    name: 'embedder-answers-trusted',
    file: 'workers/embed/ollama/client.ts',
    find: 'if (!isSameModel(reply.model, model))',
    replace: 'if (false && !isSameModel(reply.model, model))',
  },
  {
    name: 'embedder-outage-rejected',
    file: 'workers/embed/decide.ts',
    find: "if (error.reason !== 'text_refused')",
    replace: "if (error.reason === 'never')",
  },
  {
    name: 'malformed-is-internal',
    file: 'schemas/requests/parse.ts',
    find: "new ProblemError('bad_request', `the body is not JSON:",
    replace: 'new Error(`the body is not JSON:',
  },
  {
    name: 'gone-stay-in-work',
    file: 'gateway/plugins/admission.ts',
    find: 'if (request.inWork) inWork--;',
    replace: '',
  },
  {
    name: 'unread-is-in-work',
    file: 'gateway/plugins/admission.ts',
    find: 'leaveWork(request);\n    done();',
    replace: 'done();',
  },
  {
    name: 'vector-field-required',
    file: 'schemas/events/document.ts',
    find: 'truncated: z.boolean().default(false),',
    replace: 'truncated: z.boolean().default(false), language: z.string(),',
  },
  {
    name: 'snapshot-version-raised',
    file: 'workers/corpus-index/snapshot/manifest.ts',
    find: 'export const snapshotVersion = 1;',
    replace: 'export const snapshotVersion = 2;',
  },
  // No guards: what would be waited for longer than a test can afford, and graphs of a size that it can.
  {
    name: 'short-waits',
    file: 'schemas/catalog.ts',
    find: "stream: 'INGEST', ackWaitMs: 30_000,",
    replace: "stream: 'INGEST', ackWaitMs: 5_000,",
    also: [
      {
        file: 'schemas/catalog.ts',
        find: "stream: 'DOCUMENTS', ackWaitMs: 60_000,",
        replace: "stream: 'DOCUMENTS', ackWaitMs: 5_000,",
      },
      {
        file: 'schemas/catalog.ts',
        find: "stream: 'PLAYBOOKS', ackWaitMs: 60_000,",
        replace: "stream: 'PLAYBOOKS', ackWaitMs: 5_000,",
      },
      { file: 'workers/index-lease/hold.ts', find: 'leaseMs: 60_000,', replace: 'leaseMs: 10_000,' },
    ],
  },
  {
    name: 'small-graphs',
    file: 'workers/corpus-index/parameters.ts',
    find: 'exactBelow: 16_384',
    replace: 'exactBelow: 64',
  },
  {
    name: 'acked-before-appended',
    file: 'streams/work.ts',
    find: "failpoint('decided');",
    replace: "message.ack(); await new Promise((resolve) => setTimeout(resolve, 50)); failpoint('decided');",
  },
  {
    name: 'versions-by-clock',
    file: 'workers/ingest/decide.ts',
    find: 'const { sequence, subject } = context;',
    replace: 'const { subject } = context; const sequence = Math.floor(Date.now() / 1_000);',
  },
  {
    name: 'roles-ignored',
    file: 'workers/matrix/lifts.ts',
    find: 'const roleAgrees = compileRoleGate(input.queryRole);',
    replace: 'const roleAgrees = () => true;',
  },
  {
    name: 'retractions-ignored',
    file: 'workers/corpus-index/fold.ts',
    find: 'const record = retractedRecord(data, context.sequence);',
    replace: 'const record = retractedRecord(data, 1);',
  },
];

/** The environment of a process that loads the product with a mutant, or several with commas between; nothing for `undefined`. */
export function mutantEnvironment(name: string | undefined): Record<string, string> {
  if (name === undefined) return {};
  for (const one of name.split(','))
    if (!mutants.some((mutant) => mutant.name === one)) throw new Error(`there is no mutant "${one}"`);
  const loader = pathToFileURL(join(distDirectory(), 'scripts', 'chaos', 'mutant-loader.js')).href;
  return { LAKEHOUSE_MUTANT: name, NODE_OPTIONS: `--import=${loader}` };
}

/**
 * The text with one change in it.
 * @throws Error where what it looks for is not there exactly once: a mutant that changes nothing would prove nothing
 */
export function mutate(text: string, { file, find, replace }: Edit): string {
  const found = [...text.matchAll(patternOf(find))];
  const [only] = found;
  if (found.length !== 1 || only === undefined)
    throw new Error(`what a mutant looks for in ${file} is to be found once, and was found ${found.length} times`);
  return `${text.slice(0, only.index)}${replace}${text.slice(only.index + only[0].length)}`;
}

function patternOf(find: string): RegExp {
  const words = find.trim().split(/\s+/);
  return new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g');
}
