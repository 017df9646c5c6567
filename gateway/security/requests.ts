import type { Operation } from '../../schemas/operation.ts';
import type { TestGateway } from '../app-fixtures.ts';

/** A request of an operation whose parts of the path are filled in, each with the same text as it is written in a URL. */
export function requestOf({ method, path }: Operation, part = 'workers') {
  return { method, url: path.replace(/\{\w+\}/g, () => part) };
}

/** `GET /v1/index/info`, as a test is called by it. */
export function nameOf({ method, path }: Operation): string {
  return `${method} ${path}`;
}

/** Where a gateway listens. */
export function portOf({ app }: TestGateway): number {
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen on a port');
  return address.port;
}
