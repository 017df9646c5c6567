/** What answers without a token and under any load: supervisors and load balancers ask there. */
const openPaths: readonly string[] = ['/healthz', '/readyz'];

/** @param url path and query, as the request line has them */
export function isOpenPath(url: string): boolean {
  return openPaths.some((path) => url.startsWith(path) && (url.length === path.length || url[path.length] === '?'));
}
