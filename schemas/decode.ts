import type { z } from 'zod';
import { catalog, type EventData, type EventName, type EventsOf, eventOn, type StreamName } from './catalog.ts';
import { type DecodedEvent, type DecodeFailure, envelopeSchema, parseTypeName, upcast } from './envelope.ts';
import { issueSentence } from './problems.ts';
import { readTraceparent } from './traceparent.ts';

/** An event of a stream, as it was read. */
export type EventOf<Stream extends StreamName> = {
  [Name in EventsOf<Stream>]: DecodedEvent<Name, EventData<Name>>;
}[EventsOf<Stream>];

const textDecoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the payload of a message of a stream: JSON, envelope, type and version, old versions brought up to the newest,
 * and the schema at last. What can not be read is data, with the reason that a rejection carries.
 * @param subject decides what an event is whose payload does not say it; left out, the stream's first event is meant
 */
export function decodeEvent<Stream extends StreamName>(
  stream: Stream,
  payload: Uint8Array,
  subject?: string,
): { readonly ok: true; readonly event: EventOf<Stream> } | ({ readonly ok: false } & DecodeFailure) {
  let value: unknown;
  try {
    value = JSON.parse(textDecoder.decode(payload));
  } catch (error) {
    return { ok: false, reason: 'bad_json', message: `the payload is not JSON in UTF-8: ${String(error)}` };
  }
  const opened = openEnvelope(stream, value, subject);
  if ('reason' in opened) return { ok: false, ...opened };
  const definition = catalog[opened.name];
  const lifted = upcast(opened.data, opened.version, definition.version, definition.upcasters);
  if ('reason' in lifted) return { ok: false, ...lifted };
  const parsed = (definition.schema as z.ZodType).safeParse(lifted.data);
  if (!parsed.success) {
    const aboutVector = parsed.error.issues[0]?.path.includes('vector') ?? false;
    return {
      ok: false,
      reason: aboutVector ? 'invalid_vector' : 'invalid_event',
      message: issueSentence(parsed.error),
    };
  }
  const event = { type: opened.name, traceId: opened.traceId, traceparent: opened.traceparent, data: parsed.data };
  return { ok: true, event: event as unknown as EventOf<Stream> };
}

interface Opened {
  readonly name: EventName;
  readonly version: number;
  readonly traceId: string | undefined;
  readonly traceparent: string | undefined;
  readonly data: unknown;
}

function openEnvelope(stream: StreamName, value: unknown, subject: string | undefined): Opened | DecodeFailure {
  const names = namesByStream[stream];
  const first = (subject === undefined ? undefined : eventOn(names, subject)) ?? names[0];
  const wire = first === undefined ? 'envelope' : catalog[first].wire;
  const enveloped = typeof value === 'object' && value !== null && 'specversion' in value;
  if (first !== undefined && (wire === 'line' || (wire === 'open' && !enveloped)))
    return { name: first, version: 1, traceId: undefined, traceparent: undefined, data: value };
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success)
    return { reason: 'bad_envelope', message: `not a CloudEvents 1.0 envelope: ${issueSentence(parsed.error)}` };
  const { type, data, traceid: traceId } = parsed.data;
  const traceparent = readTraceparent(parsed.data.traceparent);
  // A producer's CloudEvents may be of any type of its own: what they mean is decided by the subject.
  if (wire === 'open' && first !== undefined) return { name: first, version: 1, traceId, traceparent, data };
  const named = parseTypeName(type);
  const name = names.find((candidate) => candidate === named?.name);
  if (named === undefined || name === undefined)
    return { reason: 'unknown_type', message: `"${type}" is no event of stream ${stream}` };
  return { name, version: named.version, traceId, traceparent, data };
}

const namesByStream = groupByStream();

function groupByStream(): Record<StreamName, EventName[]> {
  const groups = {} as Record<StreamName, EventName[]>;
  for (const name of Object.keys(catalog) as EventName[]) {
    const { stream } = catalog[name];
    groups[stream] = [...(groups[stream] ?? []), name];
  }
  return groups;
}
