import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { bearerToken, isLoopback, tokenCheck } from './bearer.ts';
import { jetStreamRoundTrip, type LogConnection } from './connection.ts';

export interface HealthAddress {
  readonly host: string;
  readonly port: number;
}

/** Who may read `/metrics`. Without a token, and not open to all, only where nobody else can reach it. */
export interface MetricsAccess {
  readonly token: string | undefined;
  readonly open: boolean;
}

/** Serves `/healthz`, `/readyz` and `/metrics` of one process. */
export async function startHealthServer(
  address: HealthAddress,
  connection: LogConnection,
  notReady: () => string | undefined,
  access: MetricsAccess,
): Promise<Server> {
  const mayRead = metricsGuard(address, access);
  const server = createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (path === '/healthz') return answer(response, 200, { status: 'ok' });
    if (path === '/metrics' && mayRead(request)) return void tellMetrics(response, connection);
    if (path === '/metrics') return refuse(response);
    if (path !== '/readyz') return answer(response, 404, { status: 'not found' });
    readiness(connection, notReady).then(
      (reason) =>
        reason === undefined
          ? answer(response, 200, { status: 'ready', stalls: connection.stalls.total() })
          : answer(response, 503, { status: 'not ready', reason, stalls: connection.stalls.total() }),
      (error: unknown) => answer(response, 503, { status: 'not ready', reason: String(error) }),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  return server;
}

function metricsGuard({ host }: HealthAddress, { token, open }: MetricsAccess): (request: IncomingMessage) => boolean {
  if (open || (token === undefined && isLoopback(host))) return () => true;
  const accepts = tokenCheck(token === undefined ? [] : [token]);
  return (request) => {
    const given = bearerToken(request.headers.authorization);
    return given !== undefined && accepts(given);
  };
}

function refuse(response: ServerResponse): void {
  response.setHeader('www-authenticate', 'Bearer');
  const reason =
    'send "Authorization: Bearer <LAKEHOUSE_METRICS_TOKEN>"; where none is set, metrics are told on loopback alone, or ' +
    'to everybody with LAKEHOUSE_METRICS_OPEN=1';
  answer(response, 401, { status: 'unauthorized', reason });
}

async function tellMetrics(response: ServerResponse, { telemetry }: LogConnection): Promise<void> {
  const { metrics } = telemetry;
  try {
    const text = await metrics.text();
    response.writeHead(200, { 'content-type': metrics.registry.contentType });
    response.end(text);
  } catch (error) {
    answer(response, 500, { status: 'failed', reason: String(error) });
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Undefined when ready, else the reason: a store that hangs answers no round trip while its process looks healthy. */
export async function readiness(
  connection: LogConnection,
  notReady: () => string | undefined,
): Promise<string | undefined> {
  const reason = notReady();
  if (reason !== undefined) return reason;
  try {
    await jetStreamRoundTrip(connection);
    return undefined;
  } catch (error) {
    return `JetStream does not answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}
