import { ConfigurationError } from '../schemas/configuration.ts';
import { isLoopback } from '../streams/bearer.ts';

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
