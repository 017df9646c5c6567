import { isIPv4 } from 'node:net';
import { ConfigurationError } from '../schemas/configuration.ts';

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * Refuses to be open to a network without a token.
 * @throws ConfigurationError with what to do
 */
export function assertBindAllowed(host: string, token: string | undefined): void {
  if (token !== undefined || isLoopback(host)) return;
  throw new ConfigurationError(
    `LAKEHOUSE_GATEWAY_HOST is "${host}", which other machines can reach, and no token is set: anybody could read and write. ` +
      'Set LAKEHOUSE_TOKEN, or listen on 127.0.0.1.',
  );
}
