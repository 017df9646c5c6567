import { command } from '../command/define.ts';
import { composeNatsConfig } from '../compose/nats-config.ts';
import { exitCodes } from '../exit-codes.ts';

export default command({
  summary: 'Prints the configuration of nats-server for docker-compose.yml: users and permissions, no passwords.',
  examples: ['nats-config > scripts/compose/nats-server.conf'],
  args: {},
  async run({ output }) {
    const configuration = composeNatsConfig();
    output.answer({ configuration }, configuration.trimEnd());
    return exitCodes.done;
  },
});
