import { BlockList, isIPv6 } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../../schemas/problems.ts';
import type { GatewayOptions } from '../dependencies.ts';
import { isHealthPath } from './open-paths.ts';

/**
 * Answers only clients whose address is in one of the networks; without any named, everybody. Health checks are answered
 * to all: supervisors ask from wherever they are. The address is that of the connection: behind a proxy, name the proxy.
 */
export function allowAddresses(
  app: FastifyInstance,
  { allowedNetworks }: Pick<GatewayOptions, 'allowedNetworks'>,
): void {
  if (allowedNetworks.length === 0) return;
  const allowed = networkList(allowedNetworks);
  app.addHook('onRequest', (request, _reply, done) => {
    if (isHealthPath(request.url) || allowed(request.ip)) return done();
    done(new ProblemError('forbidden', 'this gateway does not answer the network that you ask from'));
  });
}

/** @param networks `10.0.0.0/8`, `fd00::/8`, or a single address */
export function networkList(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = familyOf(address);
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  // An IPv4 client of a socket that listens on both families comes as ::ffff:10.1.2.3; the list knows that form.
  return (address) => list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
