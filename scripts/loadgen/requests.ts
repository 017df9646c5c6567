/** What a load run sends: rendered once, then written to sockets as it is. */
export interface RequestSpec {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent in rotation. None at all: one request without a body. */
  readonly bodies: readonly Buffer[];
}

/** Reads the address of a load run. Throws a RangeError for anything but a plain `http:` URL. */
export function parseTarget(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:') {
    throw new RangeError(`the load generator speaks plain HTTP only; "${text}" is not an http:// address`);
  }
  return url;
}

function renderRequest(spec: RequestSpec, body: Buffer | undefined): Buffer {
  const lower = new Set(Object.keys(spec.headers).map((name) => name.toLowerCase()));
  const lines = [`${spec.method} ${spec.url.pathname}${spec.url.search} HTTP/1.1`, `Host: ${spec.url.host}`];
  if (body !== undefined && !lower.has('content-type')) lines.push('Content-Type: application/json');
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  for (const [name, value] of Object.entries(spec.headers)) {
    if (/[\r\n]/.test(name + value)) throw new RangeError(`the header ${JSON.stringify(name)} has a line break`);
    lines.push(`${name}: ${value}`);
  }
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body ?? Buffer.alloc(0)]);
}

/** Whole HTTP/1.1 requests, head and body, one for each body. */
export function renderRequests(spec: RequestSpec): readonly [Buffer, ...Buffer[]] {
  const [first, ...rest] = spec.bodies;
  return [renderRequest(spec, first), ...rest.map((body) => renderRequest(spec, body))];
}
