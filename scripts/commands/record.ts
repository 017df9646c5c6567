import { numberOf } from '../command/arguments.ts';
import { command } from '../command/define.ts';
import { gatewayArguments, openGateway } from '../command/gateway.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Remembers which answer a person chose for a query, as a playbook.',
  examples: [
    'record --query "Need 3 Forklift Operators in Aurora IL for Parallel Machining" --answer w-43 --role "Forklift Operator"',
  ],
  args: {
    query: { type: 'string', required: true, description: 'The query as it was asked.' },
    answer: { type: 'string', required: true, valueHint: 'ID', description: 'The id of the document that was chosen.' },
    corpus: { type: 'string', default: 'workers', description: 'The corpus that the document is of.' },
    score: { type: 'string', default: '1', description: 'How good the answer was, 0 to 1: 1 halves its distance.' },
    role: { type: 'string', description: 'The role that was asked for: only queries of this role are lifted.' },
    tag: { type: 'string', description: 'A tag to keep with it; may be repeated.' },
    'playbook-corpus': { type: 'string', description: 'Where it is remembered ("playbook_memory").' },
    ...gatewayArguments,
  },
  async run({ args, every, output }) {
    const tags = every('tag');
    const client = await openGateway(args);
    const reply = await client.record({
      query_text: args.query,
      answer_id: args.answer,
      answer_corpus: args.corpus,
      score: numberOf('score', args.score, { min: 0, max: 1, whole: false }),
      ...(args.role === undefined ? {} : { role: args.role }),
      ...(tags.length === 0 ? {} : { tags }),
      ...(args['playbook-corpus'] === undefined ? {} : { corpus: args['playbook-corpus'] }),
    });
    output.answer(reply, `${reply.playbook_id} recorded`);
    return exitCodes.done;
  },
});
