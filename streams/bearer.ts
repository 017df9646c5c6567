import { createHash, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';

const bearerPattern = /^bearer +(\S+) *$/i;

/** The token of an `Authorization` header; undefined where it holds none. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return bearerPattern.exec(authorization ?? '')?.[1];
}

/**
 * Whether a token is one of those. Digests are of one length, and all are compared: time tells neither how long a token
 * is nor which one came close.
 */
export function tokenCheck(tokens: readonly string[]): (given: string) => boolean {
  const accepted = tokens.map(digestOf);
  return (given) => {
    const digest = digestOf(given);
    let found = false;
    for (const candidate of accepted) if (timingSafeEqual(digest, candidate)) found = true;
    return found;
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** Whether only this machine can reach what listens on a host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
