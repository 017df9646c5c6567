import { command } from '../command/define.ts';
import { gatewayArguments, openGateway } from '../command/gateway.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Takes a playbook back: it lifts nothing any more.',
  examples: ['retract pb-1126c52bd106df6b --reason "moved to another site"'],
  args: {
    playbook: {
      type: 'positional',
      required: true,
      description: 'The id that "record" answered, such as pb-1126c52bd106df6b.',
    },
    reason: { type: 'string', description: 'Why, for whoever reads the log later.' },
    'playbook-corpus': { type: 'string', description: 'Where it is remembered ("playbook_memory").' },
    ...gatewayArguments,
  },
  async run({ args, output }) {
    const client = await openGateway(args);
    const reply = await client.retract({
      playbook_id: args.playbook,
      ...(args.reason === undefined ? {} : { reason: args.reason }),
      ...(args['playbook-corpus'] === undefined ? {} : { corpus: args['playbook-corpus'] }),
    });
    output.answer(reply, `${reply.playbook_id} retracted`);
    return exitCodes.done;
  },
});
