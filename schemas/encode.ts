import { catalog, type EventData, type EventName } from './catalog.ts';

export interface EncodeContext {
  /** Who says it, such as `ingest-worker`. */
  readonly source: string;
  /** The message id: it derives from source sequences, so that a repetition has the same. */
  readonly id: string;
  /** ISO 8601; from the clock that was passed in. */
  readonly time: string;
  readonly traceId?: string | undefined;
  /** W3C Trace Context of what caused it: the CloudEvents extension for distributed tracing. */
  readonly traceparent?: string | undefined;
}

/** The payload of an event: CloudEvents JSON around the data, in the newest version; a `line` event is its data alone. */
export function encodeEvent<Name extends EventName>(name: Name, data: EventData<Name>, context: EncodeContext): Buffer {
  const { version, wire } = catalog[name];
  if (wire === 'line') return Buffer.from(JSON.stringify(data), 'utf8');
  const envelope = {
    specversion: '1.0',
    id: context.id,
    source: `urn:lakehouse:${context.source}`,
    type: `${name}.v${version}`,
    time: context.time,
    datacontenttype: 'application/json',
    ...(context.traceId === undefined ? {} : { traceid: context.traceId }),
    ...(context.traceparent === undefined ? {} : { traceparent: context.traceparent }),
    data,
  };
  return Buffer.from(JSON.stringify(envelope), 'utf8');
}
