import { describe, expect, it } from 'vitest';
import type { GatewayClient } from '../../gateway/client/client.ts';
import { GatewayError, GatewayUnreachableError } from '../../gateway/client/errors.ts';
import { type Problem, problem } from '../../schemas/problems.ts';
import type { IngestReply } from '../../schemas/requests/ingest.ts';
import { systemClock } from '../../streams/clock.ts';
import { CommandError } from '../command/errors.ts';
import { createOutput } from '../command/output.ts';
import { exitCodes } from '../exit-codes.ts';
import type { SourcedDocument } from './documents.ts';
import { publishDocuments } from './publish.ts';

const documents: SourcedDocument[] = [1, 2, 3].map((line) => ({
  document: { id: `d-${line}`, text: 't' },
  place: `file:${line}`,
  bytes: 20,
}));

async function publish(answer: IngestReply | Error, json = false) {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text) });
  const ingest: GatewayClient['ingest'] = async () => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const exitCode = await publishDocuments({
    client: { url: 'http://gateway', ingest } as GatewayClient,
    corpus: 'workers',
    documents,
    total: documents.length,
    waitSearchable: true,
    output: createOutput(json, sink('stdout'), sink('stderr')),
    clock: systemClock,
  });
  return { exitCode, ...written };
}

async function refusal(error: Error): Promise<CommandError> {
  const thrown = await publish(error).catch((caught: unknown) => caught);
  if (thrown instanceof CommandError) return thrown;
  throw new Error('no CommandError was thrown');
}

const accepted = { accepted: 3, first_seq: 5, last_seq: 7 };
const refused = (code: Parameters<typeof problem>[0], more: object = {}): Problem => problem(code, 'why', { ...more });

describe('publishing documents', () => {
  it('says what was appended, and progress not on stdout', async () => {
    const { exitCode, stdout, stderr } = await publish({ ...accepted, searchable: 3, rejected: [] });
    expect(exitCode).toBe(exitCodes.done);
    expect(stdout).toMatch(/^3 documents appended to "workers" .*INGEST 5 to 7, 3 of them can be found now\.\n$/);
    expect(stderr).toContain('documents: 3');
  });

  it('is one JSON document under --json', async () => {
    const { stdout } = await publish({ ...accepted, searchable: 3, rejected: [] }, true);
    expect(JSON.parse(stdout)).toMatchObject({ corpus: 'workers', ...accepted, searchable: 3, rejected: [] });
  });

  it('fails where documents were rejected, and names them', async () => {
    const rejected = [{ id: 'd-2', seq: 6, reason: 'text_refused', message: 'too odd' }];
    const { exitCode, stdout } = await publish({ ...accepted, searchable: 2, rejected });
    expect(exitCode).toBe(exitCodes.failed);
    expect(stdout).toContain('rejected: d-2: text_refused: too odd');
  });

  it('names the place of a row that the gateway refused', async () => {
    const error = await refusal(new GatewayError(refused('invalid_document', { row: 1 })));
    expect(error.exitCode).toBe(exitCodes.failed);
    expect(error.failure.happened).toBe('file:2: why');
    expect(error.failure.means).toContain('0 documents before it were appended; of its batch of 3, none');
  });

  it('tells how many of a batch the log took before it failed', async () => {
    const error = await refusal(new GatewayError(refused('store_full', { accepted: 2 })));
    expect(error.exitCode).toBe(exitCodes.failed);
    expect(error.failure.means).toContain('of its batch of 3, 2.');
  });

  it('keeps the exit code of a failure that is not about a row', async () => {
    expect((await refusal(new GatewayError(refused('unauthorized')))).exitCode).toBe(exitCodes.usage);
    const error = await refusal(new GatewayUnreachableError('http://gateway', 'not-a-gateway', 'another program'));
    expect(error.exitCode).toBe(exitCodes.unreachable);
    expect(error.failure.means).toContain('it is not known how many');
  });
});
