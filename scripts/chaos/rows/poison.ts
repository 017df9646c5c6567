import { setTimeout as delay } from 'node:timers/promises';
import type { StreamName } from '../../../schemas/catalog.ts';
import { decodeEvent } from '../../../schemas/decode.ts';
import { type RejectedData, type RejectionReason, rejectedPayloadBytesMax } from '../../../schemas/events/rejected.ts';
import { limits } from '../../../schemas/primitives.ts';
import { encodeVector } from '../../../schemas/vector.ts';
import { appendBytes } from '../../../streams/append.ts';
import type { LogConnection } from '../../../streams/connection.ts';
import { readStream } from '../../../streams/read-stream.ts';
import type { RoleName } from '../../../streams/server/roles.ts';
import { actOn, type RejectedAction } from '../../rejected/act.ts';
import { type SelectionFlags, selectionOf } from '../../rejected/select.ts';
import type { Check, FaultContext, FaultOutcome, FaultRow } from '../fault-row.ts';
import { startOllamaDouble } from '../ollama-double.ts';
import { check } from '../oracles/check.ts';
import { checkDigest } from '../oracles/digest.ts';
import { type ChaosStack, ownDimension, ownSpace, startChaosStack } from '../stack.ts';

const corpus = 'workers';
const scales = { short: { rounds: 1 }, long: { rounds: 100 } } as const;
const goodPerRound = 5;
const settledWithinMs = 60_000;
/** What reads in order by itself may be so much later than what is handed out. */
const graceMs = 3_000;
const lookEveryMs = 50;
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** One message that nobody can work on. */
interface Poison {
  readonly what: string;
  /** Who is able to publish there. */
  readonly as: RoleName;
  readonly stream: StreamName;
  readonly subject: string;
  readonly payload: Buffer;
  readonly reason: RejectionReason;
  readonly worker: string;
}

/** F8: what can not be worked on, of every kind, among what can. */
export const poison: FaultRow = {
  fault: 'F8',
  title: 'poison of every kind on the bus: no JSON, no event, unknown versions, bad vectors, empty and endless texts',
  passes:
    'each lies in REJECTED once, with its reason and its bytes; everything else goes on; a retry works when its cause is gone',
  mutations: [
    { name: 'rejection-lost', breaks: 'a message is terminated before it is set aside' },
    { name: 'zero-vector-taken', breaks: 'a vector without a direction is taken' },
  ],
  run,
};

async function run(context: FaultContext): Promise<FaultOutcome> {
  const { rounds } = scales[context.scale];
  await using embedder = await startOllamaDouble(ownDimension);
  await using stack = await startChaosStack({
    directory: context.directory,
    mutant: context.mutation,
    processes: ['ingest', 'embed', 'index', 'observer'],
    environment: { OLLAMA_HOST: embedder.host },
  });
  await embedder.fail('refusing');
  const said: Said[] = [];
  let good = 0;
  for (let round = 0; round < rounds; round++) {
    if (context.fault) said.push(...(await sayPoison(stack, round)));
    const documents = Array.from({ length: goodPerRound }, (_, at) => ({
      id: `w-${good + at}`,
      text: `operator ${good + at}`,
    }));
    await stack.client.ingest(corpus, documents);
    good += goodPerRound;
    if (context.fault) await stack.client.ingest(corpus, [{ id: `late-${round}`, text: `refused for now ${round}` }]);
  }
  const refused = context.fault ? rounds : 0;
  const rows = await untilSetAside(stack.operator, said.length + refused);
  context.report(`${said.length} poisoned, ${refused} refused by the model, ${rows.length} set aside`);
  const waitedFor = await untilLive(stack, good);
  const checks = [
    ...rowsChecks(said, rows, refused),
    check('the stream goes on: every good document is found', waitedFor === good, `${waitedFor} of ${good}`),
    await countsCheck(stack, rows.length),
  ];
  // Nothing that comes behind would tell more of what is lost already.
  if (checks.every(({ held }) => held)) {
    await embedder.fail(undefined);
    if (context.fault) checks.push(...(await retryChecks(stack, said.length, refused)));
    const live = await untilLive(stack, good + refused);
    checks.push(check('what was retried is found', live === good + refused, `${live} of ${good + refused}`));
    checks.push(...(await checkDigest(stack)));
  }
  return { checks, counts: { documents: good + refused, poisoned: said.length, rejections: rows.length } };
}

interface Said extends Poison {
  readonly sequence: number;
}

async function sayPoison(stack: ChaosStack, round: number): Promise<Said[]> {
  const said: Said[] = [];
  const connections = new Map<RoleName, LogConnection>();
  for (const [at, one] of poisons(round).entries()) {
    const connection = connections.get(one.as) ?? (await stack.connectAs(one.as));
    connections.set(one.as, connection);
    const messageId = `poison-${round}-${at}`;
    const cause = { traceId: messageId, traceparent };
    const { sequence } = await appendBytes(connection, one.subject, one.payload, { messageId, ...cause });
    said.push({ ...one, sequence });
  }
  await Promise.all([...connections.values()].map(({ nats }) => nats.close()));
  return said;
}

function poisons(round: number): Poison[] {
  const id = `bad-${round}`;
  const ingest = (what: string, reason: RejectionReason, said: object | string | Buffer): Poison => ({
    what,
    as: 'operator',
    stream: 'INGEST',
    subject: `ingest.${corpus}`,
    payload: Buffer.isBuffer(said) ? said : Buffer.from(typeof said === 'string' ? said : JSON.stringify(said)),
    reason,
    worker: 'ingest',
  });
  const vector = (what: string, values: readonly number[]) =>
    ingest(what, 'invalid_vector', { id, vector: encodeVector(Float32Array.from(values)), space: ownSpace });
  const filled = (value: number) => Array.from({ length: ownDimension }, (_, at) => (at === 3 ? value : 0.5));
  const envelope = (type: string) => ({ specversion: '1.0', id, source: 'urn:poison', type, data: {} });
  const inside = (
    as: RoleName,
    worker: string,
    stream: StreamName,
    subject: string,
    reason: RejectionReason,
    type: string,
  ) => ({
    what: `${reason} on ${stream}`,
    as,
    stream,
    subject,
    payload: Buffer.from(JSON.stringify(envelope(type))),
    reason,
    worker,
  });
  const deep = `${'['.repeat(limits.metadataNestingMax + 1)}${']'.repeat(limits.metadataNestingMax + 1)}`;
  return [
    ingest('JSON that breaks off', 'bad_json', '{"id":"w-1","text":'),
    ingest('bytes that are no text', 'bad_json', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
    ingest('nothing', 'bad_json', ''),
    ingest('a list', 'invalid_event', []),
    ingest('an unknown field', 'invalid_event', { id, text: 'x', unknown: 1 }),
    ingest('no id', 'invalid_event', { text: 'x' }),
    ingest('an empty text', 'invalid_event', { id, text: '' }),
    ingest('a blank text', 'invalid_event', { id, text: ' \n' }),
    ingest('a text that is too long', 'invalid_event', { id, text: 'x'.repeat(limits.textBytesMax + 1) }),
    ingest('metadata that are too deep', 'invalid_event', `{"id":"${id}","metadata":{"a":${deep}}}`),
    ingest('no envelope', 'bad_envelope', { specversion: '1.0' }),
    vector('NaN', filled(Number.NaN)),
    vector('infinity', filled(Number.POSITIVE_INFINITY)),
    vector(
      'zero',
      Array.from({ length: ownDimension }, () => 0),
    ),
    vector('a dimension too few', filled(0.5).slice(1)),
    inside('ingest', 'embed', 'DOCUMENTS', `documents.${corpus}.t${round}`, 'unknown_type', 'lakehouse.nothing.v1'),
    inside('ingest', 'embed', 'DOCUMENTS', `documents.${corpus}.v${round}`, 'unknown_version', 'lakehouse.document.v9'),
    inside('embed', 'index', 'VECTORS', `vectors.x.${corpus}.v${round}`, 'unknown_version', 'lakehouse.vector.v9'),
    inside('playbook', 'index', 'PLAYBOOKS', `playbooks.memory.p${round}`, 'unknown_type', 'lakehouse.nothing.v1'),
  ];
}

interface Row {
  readonly data: RejectedData;
  readonly traceparent: string | undefined;
}

async function untilSetAside(connection: LogConnection, wanted: number): Promise<Row[]> {
  const deadline = performance.now() + settledWithinMs;
  let workedOffMs = Number.POSITIVE_INFINITY;
  for (;;) {
    const rows: Row[] = [];
    for await (const { payload, subject } of readStream(connection, 'REJECTED')) {
      const decoded = decodeEvent('REJECTED', payload, subject);
      if (decoded.ok && decoded.event.type === 'lakehouse.rejected')
        rows.push({ data: decoded.event.data, traceparent: decoded.event.traceparent });
    }
    if (await isWorkedOff(connection)) workedOffMs = Math.min(workedOffMs, performance.now());
    const isOver = performance.now() > Math.min(deadline, workedOffMs + graceMs);
    if (rows.length >= wanted || isOver) return rows;
    await delay(lookEveryMs);
  }
}

/** Nothing waits and nothing is in work: what is not set aside by now never will be. */
async function isWorkedOff({ manager }: LogConnection): Promise<boolean> {
  const left = async (stream: string, durable: string) => {
    const { num_pending, num_ack_pending } = await manager.consumers.info(stream, durable);
    return num_pending + num_ack_pending;
  };
  return (await left('INGEST', 'ingest')) + (await left('DOCUMENTS', 'embed')) === 0;
}

function rowsChecks(said: readonly Said[], rows: readonly Row[], refused: number): Check[] {
  const missing: string[] = [];
  const wrong: string[] = [];
  for (const one of said) {
    const found = rows.filter(({ data }) => data.stream === one.stream && data.sequence === one.sequence);
    const [row] = found;
    if (row === undefined) missing.push(one.what);
    else if (found.length > 1 || !isRight(row, one))
      wrong.push(`${one.what}: ${JSON.stringify(row.data).slice(0, 200)}`);
  }
  const byModel = rows.filter(({ data }) => data.reason === 'text_refused' && data.worker === 'embed').length;
  const seen = `${rows.length} rows`;
  return [
    check(
      'every poison is set aside',
      missing.length === 0,
      missing.length === 0 ? seen : `not: ${missing.join(', ')}`,
    ),
    check(
      'once, with stream, sequence, worker, attempts, reason, sentence, payload and trace',
      wrong.length === 0,
      wrong.length === 0 ? seen : `not so: ${wrong.join('; ')}`,
    ),
    check('so is what the model refuses', byModel === refused, `${byModel} of ${refused}`),
    check('nothing else is', rows.length <= said.length + refused, seen),
  ];
}

function isRight({ data, traceparent: found }: Row, { subject, worker, reason, payload }: Poison): boolean {
  const kept = payload.length > rejectedPayloadBytesMax ? null : payload.toString('base64');
  return (
    data.subject === subject &&
    data.worker === worker &&
    data.reason === reason &&
    data.attempts >= 1 &&
    data.message.length > 0 &&
    data.payload_base64 === kept &&
    data.payload_bytes === payload.length &&
    found === traceparent
  );
}

/** What `/metrics` of the workers and the observer count, against the rows. */
async function countsCheck({ urlOf, client }: ChaosStack, rows: number): Promise<Check> {
  const sumOf = async (name: 'ingest' | 'embed' | 'index') => {
    const text = await (await fetch(`${urlOf(name)}/metrics`)).text();
    const counts = [...text.matchAll(/^lakehouse_rejected_total\{[^}]*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const counted = (await Promise.all((['ingest', 'embed', 'index'] as const).map(sumOf))).reduce((a, b) => a + b, 0);
  const deadline = performance.now() + settledWithinMs;
  let { open } = await client.rejected();
  while (open < rows && performance.now() < deadline) {
    await delay(lookEveryMs);
    open = (await client.rejected()).open;
  }
  return check(
    'metrics and status count them',
    counted === rows && open === rows,
    `metrics ${counted}, status ${open} of ${rows}`,
  );
}

async function retryChecks(stack: ChaosStack, poisoned: number, refused: number): Promise<Check[]> {
  const cured = await act(stack, 'retry', { reason: 'text_refused' });
  const states = await act(stack, 'list', { all: true });
  const retried = states.filter(({ state }) => state === 'retried').length;
  const again = await act(stack, 'retry', { reason: 'bad_json' });
  const stillBad = again.filter(({ outcome }) => outcome === 'rejected_again').length;
  return [
    check(
      'a retry takes effect when its cause is gone, and is marked so',
      cured.length === refused && cured.every(({ outcome }) => outcome === 'retried') && retried === refused,
      `${retried} of ${refused} marked`,
    ),
    check(
      'and comes back where it is not',
      poisoned === 0 || (again.length > 0 && stillBad === again.length),
      `${stillBad} of ${again.length} rejected again`,
    ),
  ];
}

interface Acted {
  readonly state?: string;
  readonly outcome?: string;
}

async function act(stack: ChaosStack, action: RejectedAction, flags: SelectionFlags): Promise<readonly Acted[]> {
  const options = { selection: selectionOf(flags), limit: 100_000, waitMs: settledWithinMs, because: '' };
  const acted = await actOn({ connection: stack.operator, action, ...options });
  if (acted.kind !== 'done') return [];
  const { settled, rejected } = acted.document as { settled?: Acted[]; rejected?: Acted[] };
  return settled ?? rejected ?? [];
}

async function untilLive({ client }: ChaosStack, wanted: number): Promise<number> {
  const deadline = performance.now() + settledWithinMs;
  for (;;) {
    const { indexes } = await client.indexInfo();
    const live = indexes.find((one) => one.corpus === corpus && one.kind === 'documents')?.live ?? 0;
    if (live >= wanted || performance.now() > deadline) return live;
    await delay(lookEveryMs);
  }
}
