import { systemClock } from '../../streams/clock.ts';
import { numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { gatewayArguments, openGateway } from '../command/gateway.ts';
import type { SourcedDocument } from '../publish/documents.ts';
import { publishDocuments } from '../publish/publish.ts';
import { staffingSeedDefault, workerCountDefault, workerCountMax, workers } from '../staffing/workers.ts';

export default command({
  summary: 'Appends a staffing corpus made from a seed: the same workers every time.',
  examples: ['seed', 'seed --count 5000 --wait'],
  args: {
    count: {
      type: 'string',
      default: String(workerCountDefault),
      description: 'How many workers; a smaller corpus is the beginning of a larger one.',
    },
    corpus: { type: 'string', default: 'workers', description: 'The corpus that they are appended to.' },
    seed: { type: 'string', default: String(staffingSeedDefault), description: 'Another seed makes other workers.' },
    wait: { type: 'boolean', description: 'Return when every worker can be found.' },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const count = numberOf('count', args.count, { min: 1, max: workerCountMax });
    const seed = numberOf('seed', args.seed, { min: 0, max: 2 ** 32 - 1 });
    return publishDocuments({
      client: await openGateway(args),
      corpus: args.corpus,
      documents: seededDocuments(count, seed),
      total: count,
      waitSearchable: args.wait ?? false,
      output,
      clock: systemClock,
    });
  },
});

export function* seededDocuments(count: number, seed: number): Generator<SourcedDocument, void, void> {
  for (const { id, text, metadata } of workers({ count, seed })) {
    const document = { id, text, metadata };
    yield { document, place: `worker ${id} of seed ${seed}`, bytes: Buffer.byteLength(JSON.stringify(document)) };
  }
}
