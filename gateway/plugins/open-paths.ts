/**
 * What answers without a token and under any load: supervisors and load balancers ask there. The contract is open too: a
 * browser asks for a page without a token, and it tells nothing of this installation.
 */
const openPaths: readonly string[] = [
  '/healthz',
  '/readyz',
  '/openapi.json',
  '/asyncapi.json',
  '/docs',
  '/docs/start.js',
  '/docs/swagger-ui.css',
  '/docs/swagger-ui-bundle.js',
];

/** @param url path and query, as the request line has them */
export function isOpenPath(url: string): boolean {
  return openPaths.some((path) => isPath(url, path));
}

/** Where supervisors ask: answered to any address, and as often as they like. */
export function isHealthPath(url: string): boolean {
  return isPath(url, '/healthz') || isPath(url, '/readyz');
}

export function isMetricsPath(url: string): boolean {
  return isPath(url, '/metrics');
}

function isPath(url: string, path: string): boolean {
  return url.startsWith(path) && (url.length === path.length || url[path.length] === '?');
}
