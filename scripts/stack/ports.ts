import { findFreePort, isPortFree } from '../../streams/server/ports.ts';
import { CommandError } from '../command/errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { NodePorts } from './nodes.ts';

export interface WantedPorts {
  /** 0: any free port; else the first one, and those behind it where there are several. */
  readonly gateway: { readonly host: string; readonly port: number; readonly count: number };
  readonly nats: { readonly port: number; readonly count: number };
  readonly healthCount: number;
}

export interface ChosenPorts {
  readonly gateways: readonly number[];
  readonly nodes: readonly NodePorts[];
  readonly health: readonly number[];
}

/**
 * Ports that are free now, all different.
 * @throws CommandError (4) where a wanted one is taken
 */
export async function choosePorts({ gateway, nats, healthCount }: WantedPorts): Promise<ChosenPorts> {
  const gateways = wanted(gateway.port, gateway.count);
  const clients = wanted(nats.port, nats.count);
  for (const port of gateways) if (port !== 0 && !(await isPortFree(port, gateway.host))) throw taken(port, '--port');
  for (const port of clients) if (port !== 0 && !(await isPortFree(port))) throw taken(port, '--nats-port');
  const asked = new Set([...gateways, ...clients]);
  const free = async (): Promise<number> => {
    for (;;) {
      const port = await findFreePort();
      if (!asked.has(port)) return port;
    }
  };
  const filled = async (ports: readonly number[]): Promise<number[]> => {
    const all: number[] = [];
    for (const port of ports) all.push(port === 0 ? await free() : port);
    return all;
  };
  const nodes: NodePorts[] = [];
  for (const client of await filled(clients)) nodes.push({ client, cluster: await free(), monitor: await free() });
  return { gateways: await filled(gateways), nodes, health: await filled(wanted(0, healthCount)) };
}

function wanted(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => (first === 0 ? 0 : first + at));
}

function taken(port: number, flag: string): CommandError {
  return new CommandError(exitCodes.unreachable, {
    happened: `port ${port} is taken by another program`,
    means: 'Nothing was started.',
    remedy: `See which program it is with "ss -ltnp 'sport = :${port}'", or choose another port with ${flag}.`,
  });
}
