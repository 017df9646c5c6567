import { findFreePort, isPortFree } from '../../streams/server/ports.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';

export interface WantedPorts {
  /** 0: any free port. */
  readonly gateway: { readonly host: string; readonly port: number };
  readonly natsPort: number;
  readonly healthCount: number;
}

export interface ChosenPorts {
  readonly gateway: number;
  readonly nats: number;
  readonly health: readonly number[];
}

/**
 * Ports that are free now, all different.
 * @throws CommandError (4) where a wanted one is taken
 */
export async function choosePorts({ gateway, natsPort, healthCount }: WantedPorts): Promise<ChosenPorts> {
  if (gateway.port !== 0 && !(await isPortFree(gateway.port, gateway.host))) throw taken(gateway.port, '--port');
  if (natsPort !== 0 && !(await isPortFree(natsPort))) throw taken(natsPort, '--nats-port');
  const chosen = new Set([gateway.port, natsPort].filter((port) => port !== 0));
  const free: number[] = [];
  while (free.length < healthCount + 2) {
    const port = await findFreePort();
    if (chosen.has(port)) continue;
    chosen.add(port);
    free.push(port);
  }
  const [first = 0, second = 0, ...health] = free;
  return { gateway: gateway.port === 0 ? first : gateway.port, nats: natsPort === 0 ? second : natsPort, health };
}

function taken(port: number, flag: string): CommandError {
  return new CommandError(exitCodes.unreachable, {
    happened: `port ${port} is taken by another program`,
    means: 'Nothing was started.',
    remedy: `See which program it is with "ss -ltnp 'sport = :${port}'", or choose another port with ${flag}.`,
  });
}
