import { command } from '../command/define.ts';
import { composeClusterConfig, composeNatsConfig } from '../compose/nats-config.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Prints the configuration of nats-server for docker-compose.yml: users and permissions, no passwords.',
  examples: [
    'nats-config > scripts/compose/nats-server.conf',
    'nats-config --cluster > scripts/compose/nats-cluster.conf',
  ],
  args: { cluster: { type: 'boolean', description: 'For the nodes of docker-compose.cluster.yml.' } },
  async run({ args, output }) {
    const configuration = args.cluster === true ? composeClusterConfig() : composeNatsConfig();
    output.answer({ configuration }, configuration.trimEnd());
    return exitCodes.done;
  },
});
